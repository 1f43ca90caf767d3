"""Refusing a clinical value whose absence alone predicts the target.

No LGG patient of BraTS has an age. A network that gets the ages, or an indicator of missing ones, can then predict the
grade without the image. A patient split does not prevent that.
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

    The test is Fisher's exact test for two classes and the chi-squared test for more; p < .05 is refused. Of two
    classes, it is also refused that one never has the feature and the other has it, for any number of patients.

    Args:
        records: the cohort.
        target: the key of the class, such as ``grade`` or ``label``; records without it are left out.
        features: a list or comma-separated text; empty for none.
        allow_shortcut: only warn in the log instead of the error.
        names: of the classes, where the target is their number.

    Raises:
        KnobError: an unknown feature, or one that predicts the target; all of them, with their counts.
    """
    labelled = [record for record in records if record.get(target) is not None]
    classes = sorted({value_of(record, target) for record in labelled})
    problems = []
    for feature in parse_features(features):
        counts = np.array([_count(labelled, target, value, feature) for value in classes])
        if len(classes) > 1 and _differ(counts):
            shown = [names[value] if names else _show(value) for value in classes]
            hint = "Use --clinical false, or --allow_shortcut true if you want to use it."
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


def _differ(counts: np.ndarray) -> bool:
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
    area = f"AUC {_auc(counts):.2f}".replace(" 0.", " .")
    known = "class" if target == "label" else target
    return (
        f"{feature} is recorded for {', '.join(listed[:-1])} and {listed[-1]}: that alone predicts the {known}, {area} "
        "without any image"
    )


def _auc(counts: np.ndarray) -> float:
    """AUC of each class against the others, by whether the feature is recorded; the mean over the classes."""
    share = counts[:, 0] / counts.sum(axis=1)
    others = counts.sum(axis=0) - counts
    share_of_others = others[:, 0] / others.sum(axis=1)
    return float(np.mean((1 + np.abs(share - share_of_others)) / 2))


def _show(value: object) -> str:
    return f"in class {value}" if isinstance(value, int) else str(value)
