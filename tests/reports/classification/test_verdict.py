from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from common.metrics.judgement import compare_judgements, summarise_judgement
from common.reports.classification.verdict import (
    BY_SCAN,
    BY_SOURCE,
    NO_EVIDENCE,
    NO_TUMOUR,
    NOT_AN_INPUT,
    NOTHING,
    SHUFFLED,
    judge_evidence,
)
from tests.facts import in_order, numbers


def measured(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high, "n": 50}


UNKNOWN = "with these patients it cannot be distinguished from chance"
GOOD = measured(0.9, 0.8, 0.95)
GAINS = {"majority class": measured(0.4, 0.3, 0.45), "missing values alone": measured(0.2, 0.1, 0.3)}


def summary(area: dict[str, float] = GOOD, gains: Any = None, **facts: Any) -> dict[str, Any]:
    against = {name: {"auc": gain} for name, gain in (GAINS if gains is None else gains).items()}
    where = {"protocol": "patient", "side": "test", "sees_clinical": True}
    return {"measures": {"auc": area}, "against_baselines": against, **where, **facts}


def test_a_network_that_beats_every_baseline_may_be_claimed() -> None:
    verdict = judge_evidence(summary())
    assert verdict.claim
    opening, against_chance, against_baselines = verdict.sentences
    assert opening != NOTHING
    assert numbers(against_chance) == [0.9, 0.8, 0.95, 0.5]
    assert in_order(against_chance, "excludes chance", "better")
    assert in_order(against_baselines, "above", "majority class", "missing values alone")
    assert numbers(against_baselines) == [0.4, 0.3, 0.45, 0.2, 0.1, 0.3]


def test_missing_values_that_predict_as_well_leave_nothing_to_claim() -> None:
    verdict = judge_evidence(summary(gains={**GAINS, "missing values alone": measured(0.0, -0.05, 0.05)}))
    assert not verdict.claim
    assert verdict.sentences[0] == NOTHING
    assert any(in_order(told, "not shown to be above", "missing values") for told in verdict.sentences)
    assert NO_EVIDENCE in verdict.sentences


def test_what_a_network_cannot_know_limits_no_claim_of_it_and_is_told() -> None:
    rivalled = {**GAINS, "missing values alone": measured(0.0, -0.05, 0.05)}
    verdict = judge_evidence(summary(gains=rivalled, sees_clinical=False))
    assert verdict.claim
    assert NO_EVIDENCE not in verdict.sentences
    assert NOT_AN_INPUT in verdict.sentences


@pytest.mark.parametrize("sees_clinical", [True, False])
def test_properties_of_the_scan_that_predict_as_well_leave_nothing_to_claim(sees_clinical: bool) -> None:
    rivalled = {**GAINS, "properties of the scan alone": measured(-0.01, -0.04, 0.02)}
    verdict = judge_evidence(summary(gains=rivalled, sees_clinical=sees_clinical))
    assert not verdict.claim
    assert BY_SCAN in verdict.sentences


def test_another_baseline_that_is_not_beaten_says_nothing_of_missing_values() -> None:
    verdict = judge_evidence(summary(gains={**GAINS, "age alone": measured(0.1, 0.0, 0.2)}))
    assert not verdict.claim
    assert not {NO_EVIDENCE, NOT_AN_INPUT} & {*verdict.sentences}


def test_without_an_auc_nothing_is_said_of_the_baselines() -> None:
    """As where the judged side holds one class."""
    nothing = {"mean": None, "low": None, "high": None, "n": 0}
    verdict = judge_evidence(summary(nothing, dict.fromkeys(GAINS, nothing)))
    opening, told = verdict.sentences
    assert opening == NOTHING
    assert in_order(told, "AUC \N{EN DASH}", UNKNOWN)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"area": measured(0.6, 0.49, 0.7)}, "does not exclude chance"),
        ({"area": measured(0.3, 0.2, 0.4)}, "but lies below it"),
        ({"permuted_labels": True}, "The labels were shuffled between patients"),
        (
            {"area": measured(0.6, float("nan"), float("nan"))},
            UNKNOWN,
        ),
        (
            {"area": {"mean": None, "low": None, "high": None, "n": 0}},
            UNKNOWN,
        ),
        ({"gains": {}}, "There is no baseline"),
        ({"protocol": "paper"}, "was trained on the patients that it is judged on"),
        ({"side": "validation"}, "The validation side is no test"),
    ],
)
def test_what_else_forbids_a_claim_is_told(changed: dict[str, Any], told: str) -> None:
    verdict = judge_evidence(summary(**changed))
    assert not verdict.claim
    assert verdict.sentences[0] == NOTHING
    assert told in " ".join(verdict.sentences)


def test_delongs_interval_stands_beside_the_bootstraps() -> None:
    def told(low: float, p_value: float) -> str:
        found = {"low": low, "high": 0.96, "p_value": p_value}
        return " ".join(judge_evidence(summary(against_chance={"delong": found})).sentences)

    assert in_order(told(0.79, 0.00001), "DeLong", "0.79 to 0.96", " excludes chance", "p < 0.001")
    assert in_order(told(0.48, 0.06), "DeLong", "0.48 to 0.96", "does not exclude chance", "p = 0.060")
    undefined = {"low": None, "high": None, "p_value": None}  # all pairs in order, read from JSON
    assert "DeLong" not in " ".join(judge_evidence(summary(against_chance={"delong": undefined})).sentences)


def test_a_few_patients_in_perfect_order_prove_nothing() -> None:
    """Two of one class and one of the other: a third of all orders are perfect, and every bootstrap is 1."""
    perfect = measured(1.0, 1.0, 1.0)
    verdict = judge_evidence(summary(perfect, against_chance={"chance": {"0.95": [0.0, 1.0]}}))
    assert not verdict.claim
    assert in_order(verdict.sentences[1], "so few patients", "95 %", "0.00 and 1.00")
    assert judge_evidence(summary(perfect, against_chance={"chance": {"0.95": [0.3, 0.7]}})).claim


@pytest.mark.parametrize(
    ("area", "protocol", "told"),
    [
        (0.6, "patient", "as it must be for patients"),
        (0.9, "paper", "the network has memorised the patients"),
        (0.9, "patient", "look for a leak in the split"),
        (0.1, "paper", "look for a leak in the split"),
    ],
)
def test_shuffled_labels_are_read_against_chance(area: float, protocol: str, told: str) -> None:
    chance = {"chance": {"0.95": [0.3, 0.7], "0.999": [0.2, 0.8]}}
    shuffled = summary(measured(area, 0.1, 0.95), protocol=protocol, permuted_labels=True, against_chance=chance)
    verdict = judge_evidence(shuffled)
    assert verdict.sentences[:2] == (NOTHING, SHUFFLED.format(shuffled="patients"))
    assert told in verdict.sentences[-1]
    assert numbers(verdict.sentences[-1]) == [99.9, 0.2, 0.8]


SUBGROUP = {"name": "LGG against HGG", "measures": {"auc": measured(0.6, 0.45, 0.75)}, "against_baselines": {}}


def test_where_healthy_is_recognised_by_its_source_only_the_grades_on_their_own_count() -> None:
    """AUC .90 with healthy brains, .60 without."""
    told = {"told_by_source": True}
    verdict = judge_evidence(summary(shortcuts=told, subgroup=SUBGROUP))
    assert not verdict.claim
    assert verdict.sentences[:2] == (NOTHING, BY_SOURCE.format(name="LGG against HGG"))
    assert numbers(verdict.sentences[2]) == [0.6, 0.45, 0.75, 0.5]
    assert judge_evidence(summary(shortcuts={"told_by_source": False}, subgroup=SUBGROUP)).claim


def test_the_grades_on_their_own_may_be_claimed() -> None:
    against = {name: {"auc": gain} for name, gain in GAINS.items()}
    good = {"name": "LGG against HGG", "measures": {"auc": GOOD}, "against_baselines": against}
    poor = measured(0.5, 0.4, 0.6)
    verdict = judge_evidence(summary(poor, shortcuts={"told_by_source": True}, subgroup=good))
    assert verdict.claim
    assert "about LGG against HGG on its own" in verdict.sentences[1]


def test_a_side_without_tumours_has_nothing_to_claim() -> None:
    verdict = judge_evidence(summary(shortcuts={"told_by_source": True}, subgroup={}))
    assert not verdict.claim
    assert verdict.sentences == (NOTHING, NO_TUMOUR)


def test_the_papers_split_of_volumes_keeps_patients_apart() -> None:
    assert judge_evidence(summary(protocol="paper", target="volume_grade")).claim
    assert not judge_evidence(summary(protocol="paper", target="volume_grade", side="validation")).claim
    assert not judge_evidence(summary(protocol="paper", target="grade")).claim


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"protocol": "paper"}, "the network was trained on copies of the images that it is judged on"),
        (
            {"area": measured(0.6, float("nan"), float("nan"))},
            "these images it cannot be distinguished from chance",
        ),
        ({"permuted_labels": True}, "The labels were shuffled between groups of copies: nothing here is about their"),
    ],
)
def test_images_go_by_their_own_words(changed: dict[str, Any], told: str) -> None:
    sentences = " ".join(judge_evidence(summary(target="tumour", **changed)).sentences)
    assert told in sentences
    assert "patient" not in sentences


@pytest.mark.parametrize(
    ("area", "protocol", "told"),
    [
        (0.6, "patient", "as it must be for images that the network was not trained on."),
        (0.9, "paper", "the network has memorised copies of the images that it was trained on."),
    ],
)
def test_shuffled_images_are_read_against_chance(area: float, protocol: str, told: str) -> None:
    chance = {"chance": {"0.95": [0.3, 0.7], "0.999": [0.2, 0.8]}}
    facts = {"target": "tumour", "protocol": protocol, "permuted_labels": True, "against_chance": chance}
    assert judge_evidence(summary(measured(area, 0.1, 0.95), **facts)).sentences[-1].endswith(told)


def test_probabilities_that_are_no_numbers_claim_nothing() -> None:
    """Forty rows sorted by their class, beside a baseline that guesses."""
    truth, guesses = ["no"] * 20 + ["yes"] * 20, np.random.default_rng(0).random(40)
    rows = pd.DataFrame({"subject": [f"P{n:02}" for n in range(40)], "truth": truth, "p_no": np.nan, "p_yes": np.nan})
    guessed = {"age": np.stack([1 - guesses, guesses], axis=1)}
    gains = compare_judgements(rows, guessed, ("no", "yes"))
    area = summarise_judgement(rows, ("no", "yes"))["auc"]
    assert math.isnan(area["mean"])
    assert not judge_evidence(summary(area, {"age": gains["age"]["auc"]})).claim


@pytest.mark.parametrize("where", [{"side": "train"}, {"protocol": "paper"}])
def test_nothing_is_said_of_foreign_patients_where_the_network_was_trained_on_them(where: dict[str, str]) -> None:
    against = {"chance": {"0.95": [0.3, 0.7], "0.999": [0.2, 0.8]}}
    told = judge_evidence(summary(measured(0.55, 0.4, 0.7), permuted_labels=True, against_chance=against, **where))
    assert numbers(told.sentences[-1]) == [99.9, 0.2, 0.8]
    assert not any("not trained on" in sentence for sentence in told.sentences)
