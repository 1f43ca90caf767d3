"""The best concordance agrees with what patients of other seeds show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from common.errors import KnobError
from common.phantoms.generative_rule import draw_patient
from common.phantoms.limits import best_concordance


def test_who_knows_nothing_gets_half_of_the_pairs() -> None:
    assert best_concordance(knows=()) == 0.5


def test_whoever_knows_more_does_better() -> None:
    steps = [(), ("volume",), ("volume", "age"), ("volume", "age", "resection")]
    concordances = [best_concordance(knows) for knows in steps]
    assert all(less + 0.005 < more for less, more in pairwise(concordances))
    assert concordances[-1] < 0.8


def test_concordance_of_age_alone_is_that_of_the_ages() -> None:
    """Who is older dies sooner: the share of pairs of patients, all dead, in which that holds."""
    patients = [patient for patient in (draw_patient(93, index) for index in range(1500)) if not patient.alive]
    ages, days = (np.array([getattr(p, name) for p in patients]) for name in ("age", "survival_days"))
    is_sooner = days[:, None] < days
    assert best_concordance(("age",)) == pytest.approx(np.mean((ages[:, None] > ages)[is_sooner]), abs=0.02)


def test_what_the_rule_does_not_know() -> None:
    with pytest.raises(KnobError, match="sex is not a value of the rule"):
        best_concordance(knows=("age", "sex"))
