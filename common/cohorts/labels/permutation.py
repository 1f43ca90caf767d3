"""Labels shuffled between patients: the same run then shows the result of chance, or of memorised patients."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from common.knobs import as_bool
from common.records import Record, scan_of

PERMUTED = "permuted"
STREAM = 4
"""Separates this draw from the others of the same seed."""

logger = logging.getLogger(__name__)


def permute_labels(records: Sequence[Record], enabled: bool | str, seed: int = 0) -> list[Record]:
    """Give every patient the label of a random patient.

    The labels are shuffled between subjects, so that all scans of a subject share one and every class keeps its number
    of subjects; the sides of a split do not change. A network that is trained and judged on such
    labels can be better than chance only on patients that it has learned from.

    Args:
        records: with ``label``; where the scans of a subject differ in it, the first scan's counts.
        enabled: the knob ``permute_labels``: shuffle; else the records are returned as they are.
        seed: of the draw. The order of the records does not matter.

    Returns:
        Copies with ``label`` shuffled and ``permuted`` true.
    """
    if not as_bool(enabled, "permute_labels"):
        return list(records)
    labels = {record["subject"]: record["label"] for record in sorted(records, key=scan_of, reverse=True)}
    subjects = sorted(labels)
    order = np.random.default_rng([STREAM, seed]).permutation(len(subjects))
    drawn = {subject: labels[subjects[place]] for subject, place in zip(subjects, order, strict=True)}
    kept = sum(drawn[subject] == labels[subject] for subject in subjects)
    logger.warning(
        "The labels of %d subjects are shuffled (%d keep theirs by chance): no result is about their disease.",
        len(subjects),
        kept,
    )
    return [{**record, "label": drawn[record["subject"]], "permuted": True} for record in records]


def are_permuted(records: Iterable[Record]) -> bool:
    """Whether the labels of these records were shuffled."""
    return any(record.get("permuted") for record in records)
