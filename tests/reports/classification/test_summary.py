from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from common.metrics import Baselines
from common.reports.classification.summary import (
    class_table,
    difference_table,
    measure_table,
    summarise_classification,
    survival_table,
    votes_table,
    with_interval,
)

GRADES = ("LGG", "HGG")
THREE = ("short (under 100 days)", "mid (100 to 199 days)", "long (200 days or more)")
DASH = "\N{EN DASH}"


@pytest.fixture
def rows() -> pd.DataFrame:
    """Four of five are right, and all in order."""
    of_hgg = np.array([0.1, 0.6, 0.7, 0.8, 0.9])
    truth = ["LGG", "LGG", "HGG", "HGG", "HGG"]
    columns = {"p_LGG": 1 - of_hgg, "p_HGG": of_hgg}
    subjects = [f"P{number}" for number in range(5)]
    return pd.DataFrame({"subject": subjects, "truth": truth, **columns}).assign(
        predicted=["LGG", "HGG", "HGG", "HGG", "HGG"], voted="HGG"
    )


@pytest.fixture
def summary(rows: pd.DataFrame) -> dict[str, Any]:
    baselines = Baselines({"chance": np.full((5, 2), 0.5)}, {"age alone": "nobody has it"})
    return {**summarise_classification(rows, rows, GRADES, baselines), "target": "grade"}


def test_a_summary_by_hand(summary: dict[str, Any]) -> None:
    assert (summary["task"], summary["patients"], summary["scans"], summary["samples"]) == ("classification", 5, 5, 5)
    assert summary["confusion"] == [[1, 1], [0, 3]]
    assert summary["measures"]["accuracy"]["mean"] == 4 / 5
    assert summary["per_class"]["LGG"]["patients"] == 2
    assert summary["per_class"]["LGG"]["recall"]["mean"] == 1 / 2
    assert summary["baselines"]["chance"]["auc"]["mean"] == 0.5
    assert summary["against_baselines"]["chance"]["auc"]["mean"] == 0.5
    assert summary["baselines_left_out"] == {"age alone": "nobody has it"}
    assert summary["votes"] == []
    assert summary["measures"]["sensitivity"]["mean"] == 1
    assert summary["measures"]["specificity"]["mean"] == 1 / 2


def test_chance_and_calibration_by_hand(summary: dict[str, Any]) -> None:
    against = summary["against_chance"]
    assert against["delong"]["area"] == 1
    assert np.isnan(against["delong"]["p_value"])  # all pairs in order
    assert against["chance"]["0.999"] == [0, 1]  # five patients cannot leave chance
    gaps = [0.1, 0.6, 0.3, 0.2, 0.1]  # each patient in a bin alone
    assert summary["calibration"]["error"] == pytest.approx(sum(gaps) / 5)


def test_network_and_baselines_stand_side_by_side(summary: dict[str, Any]) -> None:
    table = measure_table(summary).set_index("measure")
    assert table.loc["AUC", "network"] == "1.000 (0.158 to 1.000)"  # two LGG: the root of .025
    assert table.loc["AUC", "chance"] == "0.500 (0.500 to 0.500)"
    assert table.loc["accuracy", "network"].startswith("0.800 (")
    assert difference_table(summary).loc[0, "AUC"] == "0.500 (0.500 to 0.500)"


def test_a_class_stands_beside_its_printed_numbers(summary: dict[str, Any]) -> None:
    table = class_table(summary).set_index(["class", "measure"])
    assert table.loc[("LGG", "precision"), "P1, table 5"] == "0.980"
    assert table.loc[("HGG", "recall"), "network"].startswith("1.000")
    assert table.loc[("HGG", "AUC"), "P1, table 5"] == DASH
    unknown = class_table({**summary, "target": "something else"})
    assert list(unknown) == ["class", "patients", "measure", "network"]
    assert table.loc[("all", "macro F1"), "P1, table 5"] == "0.970"
    assert table.loc[("all", "accuracy"), "network"].startswith("0.800 (")


@pytest.mark.parametrize(("backbone", "columns"), [("mc3_18", 2), ("r3d_10", 0), (None, 6)])
def test_of_the_networks_of_p4_the_one_in_question_is_printed(
    rows: pd.DataFrame, backbone: str | None, columns: int
) -> None:
    shares = rows.assign(p_healthy=0.0)
    summary = summarise_classification(shares, shares, (*GRADES, "healthy"), Baselines({}, {}))
    table = class_table({**summary, "target": "volume_grade", "backbone": backbone}).set_index(["class", "measure"])
    assert sum(column.startswith("P4") for column in table) == columns
    if backbone == "mc3_18":
        assert table.loc[("all", "weighted F1"), "P4, MC3, pre-trained (tables 2 to 5)"] == "0.977"
        assert table.loc[("healthy", "F1"), "P4, MC3 (tables 2 to 5)"] == "0.996"
        assert table.loc[("HGG", "specificity"), "network"].startswith("0.500")


def test_survival_has_the_numbers_of_both_papers(rows: pd.DataFrame) -> None:
    shares = np.eye(3)[[0, 1, 2, 2, 0]]
    columns = {f"p_{name}": shares[:, label] for label, name in enumerate(THREE)}
    truth = [THREE[0], THREE[1], THREE[2], THREE[2], THREE[1]]
    samples = rows[["subject"]].assign(truth=truth, tumour=True, **columns)
    patients = samples.assign(predicted=truth)
    both = pd.concat([samples, samples.assign(tumour=False)])
    summary = {**summarise_classification(patients, both, THREE, Baselines({}, {})), "target": "survival"}
    assert (summary["patients"], summary["samples"]) == (5, 10)
    table = class_table(summary).set_index(["class", "measure"])
    assert table.loc[("long", "F1"), "P1, table 6"] == "0.880"
    assert table.loc[("mid", "recall"), "P3, true masks (table 2, figure 6)"] == "0.516"
    assert table.loc[("all", "accuracy"), "samples counted"] == "0.800"
    votes = votes_table(summary).set_index("counted")
    assert votes.loc["slices with tumour", "accuracy"] == "0.800"
    assert votes.loc["slices with tumour", "mid"] == "0.500"
    assert votes.loc["majority vote, slices counted", "P3, predicted masks: accuracy"] == "0.983"
    assert votes.loc["majority vote, patients counted", "P3, predicted masks: accuracy"] == DASH


def test_days_squared_have_no_digits() -> None:
    values = {"low": 10.04, "high": 20.0, "n": 9}
    measures = {"concordance": {"mean": 0.61234, **values}, "brats_mse": {"mean": 12345.6, **values}}
    table = survival_table({"survival": {"measures": measures}}).set_index("measure")
    assert table.loc["mean squared error in days²", "network"] == "12346 (10 to 20)"
    assert table.loc["concordance index (Harrell)", "network"] == "0.612 (10.040 to 20.000)"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"mean": 0.5, "low": 0.25, "high": 0.75, "n": 4}, "0.50 (0.25 to 0.75)"),
        ({"mean": 0.5, "low": None, "high": None, "n": 1}, "0.50"),
        ({"mean": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0}, DASH),
    ],
)
def test_what_is_not_known_is_not_written(values: dict[str, Any], text: str) -> None:
    assert with_interval(values, 2) == text
