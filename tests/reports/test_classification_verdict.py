from __future__ import annotations

from typing import Any

import pytest

from common.reports.classification_verdict import judge_evidence


def measured(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high, "n": 50}


GOOD = measured(0.9, 0.8, 0.95)
GAINS = {"majority class": measured(0.4, 0.3, 0.45), "missing values alone": measured(0.2, 0.1, 0.3)}


def summary(area: dict[str, float] = GOOD, gains: Any = None, **facts: Any) -> dict[str, Any]:
    against = {name: {"auc": gain} for name, gain in (GAINS if gains is None else gains).items()}
    where = {"protocol": "patient", "side": "test", "sees_clinical": True}
    return {"measures": {"auc": area}, "against_baselines": against, **where, **facts}


def test_a_network_that_beats_every_baseline_may_be_claimed() -> None:
    verdict = judge_evidence(summary())
    assert verdict.claim
    assert verdict.sentences == (
        "The network tells the classes better than chance and than every baseline open to it.",
        "AUC 0.90 (0.80 to 0.95): better than chance (0.5).",
        "Its AUC is above that of majority class (difference 0.40 (0.30 to 0.45)); missing values alone (difference "
        "0.20 (0.10 to 0.30)).",
    )


def test_missing_values_that_tell_as_much_leave_nothing_to_claim() -> None:
    verdict = judge_evidence(summary(gains={**GAINS, "missing values alone": measured(0.0, -0.05, 0.05)}))
    assert not verdict.claim
    assert verdict.sentences[0] == "Nothing is claimed."
    assert any(told.startswith("Its AUC is not shown to be above that of missing values") for told in verdict.sentences)
    assert any("no evidence that the network reads the tumour" in told for told in verdict.sentences)


def test_what_a_network_cannot_know_limits_no_claim_of_it_and_is_told() -> None:
    rivalled = {**GAINS, "missing values alone": measured(0.0, -0.05, 0.05)}
    verdict = judge_evidence(summary(gains=rivalled, sees_clinical=False))
    assert verdict.claim
    assert not any("no evidence" in told for told in verdict.sentences)
    assert any("a table without any image does as well" in told for told in verdict.sentences)


def test_another_baseline_that_is_not_beaten_says_nothing_of_missing_values() -> None:
    verdict = judge_evidence(summary(gains={**GAINS, "age alone": measured(0.1, 0.0, 0.2)}))
    assert not verdict.claim
    assert not any("no evidence" in told for told in verdict.sentences)


def test_without_an_auc_nothing_is_said_of_the_baselines() -> None:
    """As where the judged side holds one class."""
    nothing = {"mean": None, "low": None, "high": None, "n": 0}
    verdict = judge_evidence(summary(nothing, dict.fromkeys(GAINS, nothing)))
    assert verdict.sentences == (
        "Nothing is claimed.",
        "AUC \N{EN DASH}: these patients cannot tell it from chance (0.5).",
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"area": measured(0.6, 0.49, 0.7)}, "nothing shows that it is better than chance"),
        ({"area": measured(0.6, float("nan"), float("nan"))}, "cannot tell it from chance"),
        ({"area": {"mean": None, "low": None, "high": None, "n": 0}}, "cannot tell it from chance"),
        ({"gains": {}}, "There is no baseline"),
        ({"protocol": "paper"}, "has met the patients"),
        ({"side": "validation"}, "The validation side is no test"),
    ],
)
def test_what_else_forbids_a_claim_is_told(changed: dict[str, Any], told: str) -> None:
    verdict = judge_evidence(summary(**changed))
    assert not verdict.claim
    assert verdict.sentences[0] == "Nothing is claimed."
    assert told in " ".join(verdict.sentences)
