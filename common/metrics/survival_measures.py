"""The concordance index of a risk, and the measures of BraTS for survival in days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import CensoredData, ecdf, spearmanr

from common.metrics.intervals.bootstrap import Summary, draw_cohorts, share_of_pairs, summarise_draws
from common.metrics.intervals.left_out import measure_without, summarise_share

TITLES = {
    "weighted_accuracy": "accuracy of the classes, weighted for censoring (IPCW)",
    "concordance": "concordance index (Harrell)",
    "brats_accuracy": "accuracy of three groups (10 and 15 months)",
    "brats_mse": "mean squared error in days²",
    "brats_median_se": "median squared error in days²",
    "brats_std_se": "standard deviation of the squared errors in days²",
    "brats_spearman": "Spearman's rank correlation",
}
"""The measures of :func:`summarise_survival` in words."""

BRATS_THRESHOLDS = (300.0, 450.0)
"""Days: 10 and 15 months of 30 days."""


def concordance_index(days: np.ndarray, died: np.ndarray, risk: np.ndarray) -> float:
    """Harrell's C: of the pairs where it is known who died first, the share in which that one had the higher risk.

    A pair is comparable if the one with fewer days died, or if both have the same days and only one died then. Equal
    risks count half. 0.5 is chance; NaN if no pair is comparable.

    Args:
        days: to death or last contact, (n,).
        died: false where the days are censored, (n,).
        risk: higher means sooner, (n,).

    References:
        Harrell et al., Statistics in Medicine 15 (1996), 361-387.
    """
    wins, pairs = _pairs(days, died, risk)
    return float(share_of_pairs(np.ones((1, len(wins))), wins, pairs)[0])


def brats_survival(days: np.ndarray, predicted_days: np.ndarray) -> dict[str, float]:
    """The measures of BraTS's survival task, 2017 to 2020.

    Patients are grouped as short (under 10 months), mid and long survivors (over 15 months); a month is 30 days. The
    challenge itself asks only for patients with gross total resection.

    Args:
        days: true survival, not censored, (n,).
        predicted_days: (n,).

    Returns:
        ``accuracy`` of the three groups, ``mse``, ``median_se`` and ``std_se`` (mean, median and standard deviation of
        the squared errors, in days squared), ``spearman`` (NaN where one side does not vary).

    References:
        The challenges' pages "Tasks" and "Evaluation", e.g. https://www.med.upenn.edu/cbica/brats2020/tasks.html
    """
    if not len(days):
        return dict.fromkeys(("accuracy", "mse", "median_se", "std_se", "spearman"), float("nan"))
    squared = (np.asarray(predicted_days, dtype=float) - days) ** 2
    vary = np.ptp(days) > 0 and np.ptp(predicted_days) > 0
    return {
        "accuracy": float(np.mean(_groups(days) == _groups(predicted_days))),
        "mse": float(squared.mean()),
        "median_se": float(np.median(squared)),
        "std_se": float(squared.std()),
        "spearman": float(spearmanr(days, predicted_days).statistic) if vary else float("nan"),
    }


def predict_days(probabilities: np.ndarray, median_days: Sequence[float]) -> np.ndarray:
    """Expected days (n,): the classes' median training days (K,), weighted by their probabilities (n, K)."""
    return np.asarray(probabilities, dtype=float) @ np.asarray(median_days, dtype=float)


def summarise_survival(rows: pd.DataFrame, seed: int = 0, brats: bool = False) -> dict[str, Summary]:
    """The concordance index and, where wanted, BraTS's measures, with 95 % intervals over subjects.

    Args:
        rows: ``subject``, ``days``, ``alive`` and ``predicted_days``; the risk is minus the predicted days. BraTS's
            measures leave out living patients.
        seed: of the bootstrap of BraTS's measures.
        brats: whether BraTS's measures are wanted.

    Returns:
        ``concordance`` and ``brats_accuracy``, ``brats_mse``, ...
    """
    days, predicted = (rows[key].to_numpy(dtype=float) for key in ("days", "predicted_days"))
    died = ~rows["alive"].to_numpy(dtype=bool)
    wins, pairs = _pairs(days, died, -predicted)
    without = measure_without(rows["subject"], lambda counts: {"concordance": share_of_pairs(counts, wins, pairs)})
    concordance = concordance_index(days, died, -predicted)
    summary = {"concordance": summarise_share(concordance, without["concordance"], rows["subject"].nunique())}
    return {**summary, **_summarise_brats(rows[died], seed)} if brats else summary


def class_shares(days: np.ndarray, died: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """The shares of the classes of survival in a cohort with censored patients, by Kaplan and Meier.

    Args:
        days: to death or last contact, (n,).
        died: false where the days are censored, (n,).
        thresholds: between the classes, ascending, (K - 1,).

    Returns:
        (K,), the shortest survival first.
    """
    survives = ecdf(CensoredData.right_censored(days, ~np.asarray(died, dtype=bool))).sf
    return -np.diff(np.concatenate([[1.0], survives.evaluate(_just_before(thresholds)), [0.0]]))


def censoring_weights(days: np.ndarray, cohort_days: np.ndarray, cohort_died: np.ndarray, horizon: float) -> np.ndarray:
    """How many patients each one whose class is known stands for, since censoring hides the class of others.

    The inverse of the probability not to be censored before death or before the last class begins, whichever is first.
    Censoring must not depend on what kills. Who dies on a day is not at risk to be censored on it.

    Args:
        days: of the patients whose class is known, (n,).
        cohort_days: of all patients, to death or last contact, (N,).
        cohort_died: false where they are censored, (N,).
        horizon: the first day of the last class.

    Returns:
        At least 1, (n,).

    References:
        Robins and Finkelstein, Biometrics 56 (2000), 779-788.
    """
    died = np.asarray(cohort_died, dtype=bool)
    days_of_deaths_first = np.where(died, cohort_days, np.nextafter(np.asarray(cohort_days, dtype=float), np.inf))
    observed = ecdf(CensoredData.right_censored(days_of_deaths_first, died)).sf
    return 1 / observed.evaluate(_just_before(np.minimum(days, horizon)))


def _just_before(days: ArrayLike) -> np.ndarray:
    return np.nextafter(np.asarray(days, dtype=float), 0)


def _summarise_brats(rows: pd.DataFrame, seed: int) -> dict[str, Summary]:
    days, predicted = (rows[key].to_numpy(dtype=float) for key in ("days", "predicted_days"))
    measured = brats_survival(days, predicted)
    if not len(rows):
        return {f"brats_{name}": summarise_draws(value, np.empty(0), 0) for name, value in measured.items()}
    cohorts = draw_cohorts(rows["subject"], seed).astype(int)
    members = [np.repeat(np.arange(len(rows)), cohort) for cohort in cohorts]
    drawn = pd.DataFrame([brats_survival(days[drawn_rows], predicted[drawn_rows]) for drawn_rows in members])
    patients = rows["subject"].nunique()
    return {
        f"brats_{name}": summarise_draws(value, drawn[name].to_numpy(), patients) for name, value in measured.items()
    }


def _pairs(days: np.ndarray, died: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The score of each pair (first, second), and whether it is known that the first died before the second."""
    days, died, risk = np.asarray(days, dtype=float), np.asarray(died, dtype=bool), np.asarray(risk, dtype=float)
    sooner = days[:, None] < days[None, :]
    outlived = (days[:, None] == days[None, :]) & ~died[None, :]
    pairs = died[:, None] & (sooner | outlived)
    higher, equal = risk[:, None] > risk[None, :], risk[:, None] == risk[None, :]
    return pairs * (higher + 0.5 * equal), pairs


def _groups(days: np.ndarray) -> np.ndarray:
    """0 under 300 days, 2 over 450 days, else 1."""
    short, long = BRATS_THRESHOLDS
    return np.where(days < short, 0, np.where(days > long, 2, 1))
