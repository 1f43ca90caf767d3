from __future__ import annotations

from typing import Any

import pytest

from common.reports.key_result import key_result, tell_result

AREA, CONCORDANCE, DICE = ({"mean": mean, "low": 0.5, "high": 1.0, "n": 9} for mean in (0.7, 0.6, 0.8))
SURVIVAL = {"survival": {"measures": {"concordance": CONCORDANCE}}}


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ({"target": "grade", "measures": {"auc": AREA}}, ("AUC", AREA)),
        ({"target": "survival", "measures": {"auc": AREA}, **SURVIVAL}, ("concordance index (Harrell)", CONCORDANCE)),
        ({"target": "survival", "measures": {"auc": AREA}}, ("AUC", AREA)),  # of shuffled labels there are no days
        ({"target": "something else", "measures": {"auc": AREA}}, ("AUC", AREA)),
        ({"mean_dice": DICE}, ("mean Dice", DICE)),
    ],
)
def test_a_result_is_told_by_the_measure_of_its_task(summary: dict[str, Any], told: tuple[str, Any]) -> None:
    assert key_result(summary) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((0.914, 0.84, 0.966), "AUC 0.91 (0.84 to 0.97)"),
        ((0.914, float("nan"), float("nan")), "AUC 0.91"),
        ((None, None, None), "AUC is not defined"),
    ],
)
def test_a_result_in_words(found: tuple[float | None, ...], told: str) -> None:
    assert tell_result("AUC", dict(zip(("mean", "low", "high"), found, strict=True))) == told
