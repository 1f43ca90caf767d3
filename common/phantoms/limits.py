"""How well any model could predict a phantom's survival, by the rule in :mod:`common.phantoms.generative_rule`.

They need no voxel, only draws of patients, and hold for a network that reads its inputs without error. The grade needs
no such function: a model that sees the tumour core can always be right, and in a cohort with ``blind_grade`` no model
that sees only the images is better than the share of the larger class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from common.errors import KnobError, Problem
from common.phantoms.generative_rule import (
    MEAN_AGE,
    MEDIAN_VOLUME_ML,
    PhantomPatient,
    draw_patient,
    expected_log_survival,
)

KNOWABLE = ("volume", "age", "resection")
PATIENTS = 5000
QUANTILES = (np.arange(50) + 0.5) / 50
"""Quantiles of the effect of the unknown values."""

Floats = NDArray[np.float64]


def best_concordance(knows: Sequence[str] = KNOWABLE, seed: int = 0) -> float:
    """Harrell's concordance index of the expected survival, given what is known.

    Args:
        knows: the inputs of the network, of :data:`KNOWABLE`; the resection only where it is recorded.
        seed: of the draw of patients; the result varies by .002 or so between seeds.

    Raises:
        KnobError: the rule has no such value.
    """
    expected = _expected(seed, knows).mean(axis=1)
    cohort = _cohort(seed)
    days = np.array([patient.survival_days for patient in cohort])
    dead = np.array([not patient.alive for patient in cohort])
    comparable = dead[:, None] & (days[:, None] < days)
    shorter, tied = expected[:, None] < expected, expected[:, None] == expected
    return float((comparable & shorter).sum() + (comparable & tied).sum() / 2) / float(comparable.sum())


@lru_cache(maxsize=4)
def _cohort(seed: int) -> tuple[PhantomPatient, ...]:
    return tuple(draw_patient(seed, index) for index in range(PATIENTS))


def _expected(seed: int, knows: Sequence[str]) -> Floats:
    """(patient, quantile) expected logarithm of the days, spread by the unknown values."""
    unknown = [name for name in knows if name not in KNOWABLE]
    if unknown:
        hint = f"Choose one or more of {', '.join(KNOWABLE)}."
        raise KnobError(Problem(f"{', '.join(unknown)} is not a value of the rule", "knows", hint))
    cohort = _cohort(seed)
    neutral = expected_log_survival(MEDIAN_VOLUME_ML, MEAN_AGE, "STR")
    volume = [expected_log_survival(patient.volume_ml, MEAN_AGE, "STR") for patient in cohort]
    age = [expected_log_survival(MEDIAN_VOLUME_ML, patient.age, "STR") for patient in cohort]
    resection = [expected_log_survival(MEDIAN_VOLUME_ML, MEAN_AGE, patient.true_resection) for patient in cohort]
    effects = np.array([volume, age, resection]) - neutral
    is_recorded = np.array([patient.resection is not None for patient in cohort])
    expected = np.empty((PATIENTS, QUANTILES.size))
    for has_resection in (False, True):
        is_known = np.array([name in knows and (name != "resection" or has_resection) for name in KNOWABLE])
        spread = np.quantile(effects[~is_known].sum(axis=0), QUANTILES)
        own = effects[is_known].sum(axis=0)[is_recorded == has_resection]
        expected[is_recorded == has_resection] = neutral + own[:, None] + spread
    return expected
