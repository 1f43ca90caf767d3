"""Whether every class can be learned: how many patients each has, and who is left out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from common.errors import DatasetError, Problem
from common.records import Record

logger = logging.getLogger(__name__)


def check_classes(records: Iterable[Record], names: Sequence[str], side: str = "training") -> None:
    """Check that a side of a split holds every class.

    Args:
        records: of that side, with ``label``.
        names: of the classes, by label.
        side: for the message.

    Raises:
        DatasetError: a class has no patient there; names all such classes and counts the others.
    """
    counts = count_classes((record["label"] for record in records), names)
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        what = f"no patient is {' or '.join(empty)} ({tell_counts(counts)})"
        hint = (
            "The class has fewer patients than the split needs: use fewer --folds or another --seed, or add patients."
        )
        raise DatasetError(Problem(what, f"the {side} side of the split", hint))


def count_classes(labels: Iterable[int | None], names: Sequence[str]) -> dict[str, int]:
    """How many of ``labels`` each class has, classes without any included."""
    counts = Counter(labels)
    return {name: counts[label] for label, name in enumerate(names)}


def tell_counts(counts: dict[str, int]) -> str:
    """``LGG 76, HGG 293``."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def log_left_out(records: Iterable[Record], kept: Iterable[Record], reason: str) -> None:
    """Tell how many patients a cohort goes on without, if any."""
    everyone, staying = ({record["subject"] for record in part} for part in (records, kept))
    if everyone - staying:
        logger.info("%d of %d patients are left out: %s", len(everyone - staying), len(everyone), reason)
