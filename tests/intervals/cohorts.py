"""Simulated cohorts of which the true value of each measure is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from common.metrics.brats_measures import WORST_DISTANCE

CLASSES = ("A", "B")
MOST_SCANS = 5
SHARED = 0.7
"""Of the variance of a scan's score, the part that all scans of a patient share."""
ISLANDS = 0.5
LOG_DISTANCE = np.log(3), 0.8
"""Mean and deviation of the logarithm of the HD95 in mm."""


@dataclass(frozen=True)
class Classifier:
    """Patients of two classes, and a classifier whose scores are normal in each: its probabilities are the true ones.

    Args:
        patients: of a cohort.
        area: the AUC.
        share: of the second class.
        several: whether a patient has one to :data:`MOST_SCANS` scans, else one.
    """

    patients: int
    area: float
    share: float
    several: bool = False

    @property
    def distance(self) -> float:
        """Between the means of the scores of the two classes, in standard deviations."""
        return float(np.sqrt(2) * norm.ppf(self.area))

    def draw(self, random: np.random.Generator) -> pd.DataFrame:
        """A cohort: ``subject``, ``truth``, ``p_A``, ``p_B``, one row per scan."""
        is_second = random.random(self.patients) < self.share
        whose = np.repeat(np.arange(self.patients), self._scans(random))
        own, alone = random.normal(size=self.patients)[whose], random.normal(size=len(whose))
        score = self.distance * is_second[whose] + np.sqrt(SHARED) * own + np.sqrt(1 - SHARED) * alone
        second = self.probability(score)
        names, truth = np.char.mod("%04d", whose), np.where(is_second[whose], *reversed(CLASSES))
        return pd.DataFrame({"subject": names, "truth": truth, "p_A": 1 - second, "p_B": second})

    def probability(self, score: np.ndarray) -> np.ndarray:
        """Of the second class; where the score tells nothing, one that depends on it all the same."""
        slope = self.distance or 0.5
        return expit(slope * (score - self.distance / 2) + logit(self.share))

    def truth(self) -> dict[str, float]:
        """The measures of all patients that there could be."""
        limit = self.distance / 2 - logit(self.share) / (self.distance or 0.5)
        found = self.share * norm.sf(limit - self.distance)
        missed, false = self.share - found, (1 - self.share) * norm.sf(limit)
        refused = 1 - self.share - false
        of_second, of_first = 2 * found / (2 * found + missed + false), 2 * refused / (2 * refused + missed + false)
        return {
            "accuracy": found + refused,
            "macro_f1": (of_second + of_first) / 2,
            "auc": self.area,
            "sensitivity": found / self.share,
        }

    def _scans(self, random: np.random.Generator) -> np.ndarray:
        return random.integers(1, MOST_SCANS + 1, self.patients) if self.several else np.ones(self.patients, int)


@dataclass(frozen=True)
class TwoClassifiers:
    """Two classifiers of the same patients, whose scores are correlated.

    Args:
        patients: of a cohort.
        areas: their AUC.
        share: of the second class.
    """

    patients: int
    areas: tuple[float, float]
    share: float = 0.5

    def draw(self, random: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
        """A cohort as the first one judges it, and the probabilities (patients, 2) of the second."""
        is_second = random.random(self.patients) < self.share
        common, *alone = random.normal(size=(3, self.patients)) * np.sqrt(0.5)
        single = [Classifier(self.patients, area, self.share) for area in self.areas]
        scores = [one.distance * is_second + common + own for one, own in zip(single, alone, strict=True)]
        first, second = (one.probability(score) for one, score in zip(single, scores, strict=True))
        truth, names = np.where(is_second, *reversed(CLASSES)), np.char.mod("%04d", np.arange(self.patients))
        rows = pd.DataFrame({"subject": names, "truth": truth, "p_A": 1 - first, "p_B": first})
        return rows, np.stack([1 - second, second], axis=1)


@dataclass(frozen=True)
class Volumes:
    """Measures of segmented volumes: most are good, some fail.

    Args:
        patients: of a cohort.
        failing: the share that fails.
        several: whether a patient has one to :data:`MOST_SCANS` scans, else one.
    """

    patients: int
    failing: float
    several: bool = False

    def draw(self, random: np.random.Generator) -> pd.DataFrame:
        """The measures of each patient, the mean of the scans.

        Of a volume that does not fail the distance is log-normal, of one that fails it is the penalty for an empty
        region; any volume has :data:`ISLANDS` islands on average, each of which counts as a lesion with a Dice of 0.
        """
        scans = random.integers(1, MOST_SCANS + 1, self.patients) if self.several else np.ones(self.patients, int)
        whose = np.repeat(np.arange(self.patients), scans)
        score = random.normal(2.2, 0.5, self.patients)[whose] + random.normal(0, 0.5, len(whose))
        fails = (random.random(self.patients) < self.failing)[whose]
        dice = np.where(fails, random.beta(1, 5, len(whose)), expit(score))
        islands = random.poisson(ISLANDS, len(whose))
        distance = random.lognormal(*LOG_DISTANCE, len(whose))
        measures = {
            "dice": dice,
            "lesion_dice": dice / (1 + islands),
            "hd95": np.where(fails, WORST_DISTANCE, distance),
        }
        return pd.DataFrame(measures).groupby(whose).mean()

    def truth(self) -> dict[str, float]:
        """The means over all patients that there could be."""
        centre, width = LOG_DISTANCE
        good = np.exp(centre + width**2 / 2)
        return {
            "dice": _mean_dice(self.failing),
            "lesion_dice": _mean_dice(self.failing) * (1 - np.exp(-ISLANDS)) / ISLANDS,
            "hd95": self.failing * WORST_DISTANCE + (1 - self.failing) * good,
        }


@cache
def _mean_dice(failing: float) -> float:
    """By Gauss and Hermite: the score is normal with variance .5."""
    places, weights = np.polynomial.hermite_e.hermegauss(80)
    good = float(weights @ expit(2.2 + np.sqrt(0.5) * places) / weights.sum())
    return failing / 6 + (1 - failing) * good


@dataclass(frozen=True)
class Survivors:
    """Patients whose risk is partly known, some of them censored.

    Args:
        patients: of a cohort.
        strength: of the known risk, the log hazard per standard deviation.
    """

    patients: int
    strength: float

    def draw(self, random: np.random.Generator) -> pd.DataFrame:
        """A cohort: ``subject``, ``days``, ``alive``, ``predicted_days``; about three in ten are censored."""
        risk = random.normal(size=self.patients)
        death = random.exponential(400 * np.exp(-self.strength * risk))
        last = random.uniform(100, 1600, self.patients)
        names = np.char.mod("%04d", np.arange(self.patients))
        days = np.minimum(death, last)
        return pd.DataFrame({"subject": names, "days": days, "alive": last < death, "predicted_days": -risk})
