from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from common.reports.classification.subgroup import among, restrict, summarise_tumours

CLASSES = ("LGG", "HGG", "healthy")


@pytest.fixture
def rows() -> pd.DataFrame:
    """Six tumours and four healthy brains. Healthy is told without fail; of the tumours one LGG is out of order."""
    shares = [
        *([0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1]),
        *([0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]),
        *[[0.0, 0.1, 0.9]] * 4,
    ]
    truth = ["LGG"] * 3 + ["HGG"] * 3 + ["healthy"] * 4
    found = pd.DataFrame(shares, columns=[f"p_{name}" for name in CLASSES]).assign(truth=truth)
    predicted = np.asarray(CLASSES)[np.array(shares).argmax(axis=1)]
    return found.assign(subject=[f"P{number}" for number in range(10)], predicted=predicted)


def test_the_grades_are_judged_without_the_healthy_by_hand(rows: pd.DataFrame) -> None:
    """Shares of HGG: LGG 2/9, 1/3, 7/9; HGG 8/9, 4/7, 2/3. Seven of nine pairs are in order."""
    answers = {"all alike": np.full((10, 3), 1 / 3)}
    found = summarise_tumours(rows, CLASSES, answers)
    assert (found["name"], found["classes"], found["patients"]) == ("LGG against HGG", ["LGG", "HGG"], 6)
    assert found["measures"]["auc"]["mean"] == pytest.approx(7 / 9)
    assert found["measures"]["auc"]["n"] == 6
    assert found["measures"]["accuracy"]["mean"] == pytest.approx(5 / 6)
    assert found["per_class"]["LGG"]["recall"]["mean"] == pytest.approx(2 / 3)
    assert found["per_class"]["HGG"]["f1"]["mean"] == pytest.approx(6 / 7)
    assert found["confusion"] == [[2, 1], [0, 3]]
    assert found["baselines"]["all alike"]["auc"]["mean"] == 0.5
    assert found["against_baselines"]["all alike"]["auc"]["mean"] == pytest.approx(7 / 9 - 0.5)
    assert found["against_chance"]["delong"]["area"] == pytest.approx(7 / 9)


def test_tumours_that_were_predicted_to_be_healthy_are_counted(rows: pd.DataFrame) -> None:
    found = summarise_tumours(rows, CLASSES, {})
    assert (found["taken_for_healthy"], found["patients"]) == (1, 6)


def test_how_the_healthy_are_judged_changes_nothing(rows: pd.DataFrame) -> None:
    worse = rows.copy()
    worse.loc[worse["truth"] == "healthy", ["p_LGG", "p_HGG", "p_healthy"]] = [0.8, 0.1, 0.1]
    assert summarise_tumours(worse, CLASSES, {}) == summarise_tumours(rows, CLASSES, {})


def test_there_is_none_where_nobody_can_be_healthy_or_everybody_is(rows: pd.DataFrame) -> None:
    grades = rows[rows["truth"] != "healthy"]
    assert summarise_tumours(grades, CLASSES[:2], {}) == {}
    assert summarise_tumours(rows[rows["truth"] == "healthy"], CLASSES, {}) == {}
    assert summarise_tumours(rows, ("tumour", "healthy"), {}) == {}


def test_probabilities_among_some_classes_by_hand() -> None:
    shares = np.array([[0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.0, 0.0, 1.0]])
    found = among(shares, CLASSES, ("LGG", "HGG"))
    assert found == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]))
    assert among(shares, CLASSES, ("healthy", "LGG"))[0] == pytest.approx([0.5, 0.5])  # in the order that is asked for


def test_who_has_another_class_is_left_out_and_the_others_choose_again() -> None:
    """B was taken for healthy; between the grades it is HGG."""
    rows = pd.DataFrame(
        {
            "subject": ["A", "B", "C"],
            "truth": ["LGG", "HGG", "healthy"],
            "predicted": ["LGG", "healthy", "healthy"],
            "p_LGG": [0.6, 0.1, 0.1],
            "p_HGG": [0.2, 0.3, 0.1],
            "p_healthy": [0.2, 0.6, 0.8],
        }
    )
    found = restrict(rows, CLASSES, ("LGG", "HGG"))
    assert found["subject"].tolist() == ["A", "B"]
    assert found["predicted"].tolist() == ["LGG", "HGG"]
    assert found[["p_LGG", "p_HGG"]].to_numpy() == pytest.approx(np.array([[0.75, 0.25], [0.25, 0.75]]))
    assert "p_healthy" not in found
    assert rows["predicted"].tolist() == ["LGG", "healthy", "healthy"]  # untouched
