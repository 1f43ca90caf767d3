"""Refusing a clinical value whose mere absence tells the target.

No LGG patient of BraTS has an age, so a network that is given ages, or is told that one is missing, need not look at
an image to know the grade. A patient split does not stop that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact

from common.cohorts.features import parse_features
from common.errors import KnobError, Problem
from common.knobs import as_bool
from common.records import Record, value_of

LEVEL = 0.05

logger = logging.getLogger(__name__)


def check_clinical(
    records: Sequence[Record],
    target: str,
    features: str | Iterable[str] | None,
    allow_shortcut: bool = False,
    names: Sequence[str] | None = None,
) -> None:
    """Refuse features that are recorded for some classes more than for others.

    That is where Fisher's exact test (two classes) or the chi-squared test of the counts gives p < .05, or where of two
    classes one never has the feature and the other one has, however few they are.

    Args:
        records: the cohort.
        target: the key of the class, such as ``grade`` or ``label``; records without it are left out.
        features: a list or comma-separated text; empty for none.
        allow_shortcut: the explicit word; a warning in the log takes the place of the error.
        names: of the classes, where the target is their number.

    Raises:
        KnobError: an unknown feature, or one that tells the target; all of them, with their counts.
    """
    labelled = [record for record in records if record.get(target) is not None]
    classes = sorted({value_of(record, target) for record in labelled})
    problems = []
    for feature in parse_features(features):
        counts = np.array([_count(labelled, target, value, feature) for value in classes])
        if len(classes) > 1 and _tells(counts):
            shown = [names[value] if names else _show(value) for value in classes]
            hint = "Say --clinical false, or --allow_shortcut true if that is meant."
            problems.append(Problem(_describe(feature, target, shown, counts), f"--clinical_features {feature}", hint))
    allowed = as_bool(allow_shortcut, "allow_shortcut")
    if problems and not allowed:
        raise KnobError(problems)
    for problem in problems:
        logger.warning("%s: every result must beat that", problem.what)


def _count(records: Sequence[Record], target: str, value: object, feature: str) -> tuple[int, int]:
    """How many patients of a class have the feature, and how many have not."""
    has = [record.get(feature) is not None for record in records if value_of(record, target) == value]
    return sum(has), len(has) - sum(has)


def _tells(counts: np.ndarray) -> bool:
    """Whether (class, with and without) ``counts`` differ between the classes."""
    with_feature, without = counts.sum(axis=0)
    if not with_feature or not without:
        return False
    if len(counts) == 2 and (counts[:, 0] == 0).any():
        return True
    test = fisher_exact(counts) if len(counts) == 2 else chi2_contingency(counts, correction=False)
    return bool(test.pvalue < LEVEL)


def _describe(feature: str, target: str, shown: Sequence[str], counts: np.ndarray) -> str:
    listed = [f"{has} of {has + lacks} {name}" for name, (has, lacks) in zip(shown, counts.tolist(), strict=True)]
    told = f"AUC {_auc(counts):.2f}".replace(" 0.", " .")
    known = "class" if target == "label" else target
    return (
        f"{feature} is recorded for {', '.join(listed[:-1])} and {listed[-1]}: that alone tells the {known}, {told} "
        "without a look at any image"
    )


def _auc(counts: np.ndarray) -> float:
    """Of telling each class from the others by whether the feature is recorded; the mean over the classes."""
    share = counts[:, 0] / counts.sum(axis=1)
    others = counts.sum(axis=0) - counts
    share_of_others = others[:, 0] / others.sum(axis=1)
    return float(np.mean((1 + np.abs(share - share_of_others)) / 2))


def _show(value: object) -> str:
    return f"in class {value}" if isinstance(value, int) else str(value)
