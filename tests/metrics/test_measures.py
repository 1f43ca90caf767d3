from __future__ import annotations

import numpy as np
import pytest

from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.measures import OF_A_CLASS, OVERALL, Cohorts, title_of
from common.metrics.survival_measures import TITLES

OF_HGG = np.array([0.9, 0.4, 0.8, 0.7, 0.2])
TRUTH = np.array([1, 1, 1, 0, 0])
AREA = next(measure.of for measure in OVERALL if measure.name == "auc")


@pytest.fixture
def cohorts() -> Cohorts:
    """Five patients, three of them HGG; then the same without the second, and with the first three times."""
    counts = np.array([[1, 1, 1, 1, 1], [3, 0, 1, 1, 1]], dtype=float)
    return Cohorts(TRUTH, np.stack([1 - OF_HGG, OF_HGG], axis=1), counts)


def test_counts_by_hand(cohorts: Cohorts) -> None:
    assert cohorts.support.tolist() == [[2, 3], [2, 4]]
    assert cohorts.calls.tolist() == [[2, 3], [1, 5]]
    assert cohorts.hits.tolist() == [[1, 2], [1, 4]]
    assert cohorts.size.tolist() == [[5], [6]]


def test_every_measure_has_a_value_for_each_cohort(cohorts: Cohorts) -> None:
    assert {measure.name: measure.of(cohorts).shape for measure in OVERALL} == {m.name: (2,) for m in OVERALL}
    assert {measure.name: measure.of(cohorts).shape for measure in OF_A_CLASS} == {m.name: (2, 2) for m in OF_A_CLASS}
    found = {measure.name: measure.of(cohorts) for measure in OVERALL}
    assert found["accuracy"] == pytest.approx([3 / 5, 5 / 6])
    assert found["auc"] == pytest.approx([5 / 6, 1])  # of the first six pairs, .4 < .7 is out of order
    assert found["sensitivity"] == pytest.approx([2 / 3, 1])


@pytest.mark.parametrize("measures", [OVERALL, OF_A_CLASS, REGION_MEASURES])
def test_no_two_measures_share_a_name(measures: tuple) -> None:
    assert len({measure.name for measure in measures}) == len(measures)


def test_a_measure_has_one_title_and_an_unknown_one_its_name() -> None:
    for measure in (*OVERALL, *OF_A_CLASS, *REGION_MEASURES):
        assert title_of(measure.name) == measure.title
    assert title_of("brats_mse") == TITLES["brats_mse"]
    assert title_of("average_precision") == "average precision"


def test_scores_that_are_no_numbers_have_no_order() -> None:
    """The rows are sorted by their class: their own order would be an AUC of 1."""
    truth = np.repeat([0, 1], 20)
    nothing, one = np.full((40, 2), np.nan), np.tile([0.5, 0.5], (40, 1))
    one[3] = np.nan
    for probabilities in (nothing, one):
        assert np.isnan(AREA(Cohorts(truth, probabilities, np.ones((2, 40))))).all()


def test_probabilities_of_0_are_ties() -> None:
    """As logarithms they are -inf: of two of them neither is before the other."""
    scores = np.log([[1.0, 1e-300], [1.0, 1e-300], [0.5, 0.5]])
    scores[:2, 1] = -np.inf
    assert AREA(Cohorts(np.array([0, 1, 1]), scores, np.ones((1, 3)))) == pytest.approx([0.75])
