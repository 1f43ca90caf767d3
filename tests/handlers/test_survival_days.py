from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from common.cohorts.labels.survival_classes import SurvivalClasses
from common.handlers import SurvivalDays

CLASSES = SurvivalClasses((100.0,))


def test_a_censored_patient_whose_class_is_open_is_set_aside() -> None:
    records: list[Any] = [
        {"subject": "A", "survival_days": 50.0, "alive": False},
        {"subject": "B", "survival_days": 150.0, "alive": True},
        {"subject": "C", "survival_days": 50.0, "alive": True},
    ]
    days = SurvivalDays(CLASSES, (40.0, 200.0), "false")
    labelled = days.label(records)
    assert [record["label"] for record in labelled] == [0, 1, None]
    assert "label" not in records[0]
    short, long = CLASSES.names
    rows = pd.DataFrame({"subject": ["A", "B"], f"p_{short}": [0.75, 0.0], f"p_{long}": [0.25, 1.0]})
    judged = days.add_days(rows, labelled[:2])
    assert judged["predicted_days"].tolist() == pytest.approx([0.75 * 40 + 0.25 * 200, 200])
    assert judged["alive"].tolist() == [False, True]
    summary = days.summarise(judged, labelled, seed=0)
    assert (summary["set_aside"], summary["median_days"]) == (1, [40.0, 200.0])
    assert list(summary["measures"]) == ["weighted_accuracy", "concordance"]
    assert summary["shares"] == [1 / 2, 1 / 2]
    assert summary["shares_estimated"] == pytest.approx([1 / 3, 2 / 3])  # C may have lived long
    # B stands for C too: of A and C, both at risk on day 50, C is lost; A, who died first, stands for A alone
    assert summary["measures"]["weighted_accuracy"]["mean"] == 1


def test_without_open_classes_nothing_is_corrected() -> None:
    records: list[Any] = [{"subject": name, "survival_days": days} for name, days in (("A", 50.0), ("B", 150.0))]
    days = SurvivalDays(CLASSES, (40.0, 200.0))
    labelled = days.label(records)
    short, long = CLASSES.names
    rows = days.add_days(
        pd.DataFrame({"subject": ["A", "B"], f"p_{short}": [0.75, 0.9], f"p_{long}": [0.25, 0.1]}), labelled
    )
    summary = days.summarise(rows, labelled, seed=0)
    assert list(summary["measures"]) == ["concordance"]
    assert not {"shares", "shares_estimated"} & set(summary)
