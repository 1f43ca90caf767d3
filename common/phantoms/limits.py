"""How well anyone could tell a phantom's survival, by the rule in :mod:`common.phantoms.generative_rule`.

They need no voxel, only draws of patients, and hold for a network that reads exactly what it is said to know. The
grade needs no such function: whoever sees the tumour core can always be right, and in a cohort with ``blind_grade``
nobody who sees only the images beats the larger class's share.
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
"""Of the effect of what is not known."""

Floats = NDArray[np.float64]


def best_concordance(knows: Sequence[str] = KNOWABLE, seed: int = 0) -> float:
    """Harrell's concordance index of the expected survival, given what is known.

    Args:
        knows: what the network is given, of :data:`KNOWABLE`; the resection only where it is recorded.
        seed: of the draw of patients; the result varies by .002 or so between seeds.

    Raises:
        KnobError: the rule knows no such value.
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
    """(patient, quantile) expected logarithm of the days, spread by what is not known."""
    unknown = [name for name in knows if name not in KNOWABLE]
    if unknown:
        hint = f"Choose of {', '.join(KNOWABLE)}."
        raise KnobError(Problem(f"{', '.join(unknown)} is nothing that the rule knows", "knows", hint))
    cohort = _cohort(seed)
    neutral = expected_log_survival(MEDIAN_VOLUME_ML, MEAN_AGE, "STR")
    volume = [expected_log_survival(patient.volume_ml, MEAN_AGE, "STR") for patient in cohort]
    age = [expected_log_survival(MEDIAN_VOLUME_ML, patient.age, "STR") for patient in cohort]
    resection = [expected_log_survival(MEDIAN_VOLUME_ML, MEAN_AGE, patient.true_resection) for patient in cohort]
    effects = np.array([volume, age, resection]) - neutral
    is_recorded = np.array([patient.resection is not None for patient in cohort])
    expected = np.empty((PATIENTS, QUANTILES.size))
    for has_resection in (False, True):
        told = np.array([name in knows and (name != "resection" or has_resection) for name in KNOWABLE])
        spread = np.quantile(effects[~told].sum(axis=0), QUANTILES)
        own = effects[told].sum(axis=0)[is_recorded == has_resection]
        expected[is_recorded == has_resection] = neutral + own[:, None] + spread
    return expected
