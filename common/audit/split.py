"""A split as somebody wrote it down: cases with their files, and the side that each stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

TRAIN, VALIDATION, TEST = "train", "validation", "test"
ORDER = (TRAIN, VALIDATION, TEST)

WORDS = {
    **dict.fromkeys(("train", "training", "tr", "trn"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validate", "validating", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing", "ts", "tst", "holdout"), TEST),
}
"""What people call the sides."""

PADDING = re.compile(r"^(images?|imgs?|dataset|data|set)|(images?|imgs?|dataset|data|set)$")
"""What surrounds such a word in ``imagesTr`` or ``test_set``."""


@dataclass(frozen=True)
class Case:
    """What stands on a side: a volume, a picture, or whatever else has an id of its own.

    Args:
        name: its id, or where its file lies; unique in a split.
        files: images, and folders of DICOM series.
        patient: as the list says it.
        by_id: the list names it by an id, so that the same id is the same case wherever it stands.
    """

    name: str
    files: tuple[str, ...] = ()
    patient: str | None = None
    by_id: bool = True


@dataclass(frozen=True)
class Division:
    """One way to divide the cases: a fold of a cross-validation, or the whole split.

    Args:
        name: ``fold 0``; empty where there is only one.
        sides: names of cases by side; train comes first, then validation and test.
    """

    name: str
    sides: Mapping[str, tuple[str, ...]]

    @property
    def side_pairs(self) -> Iterable[tuple[str, str]]:
        """Every two sides; what is learned from the first is judged on the second."""
        return combinations(self.sides, 2)


@dataclass(frozen=True)
class Split:
    """A split that was read.

    Args:
        kind: what it was recognised as.
        where: the file or the folder.
        cases: by their names.
        divisions: one, or one for each fold.
        remarks: what a person should know, but is no leak.
    """

    kind: str
    where: Path
    cases: Mapping[str, Case]
    divisions: tuple[Division, ...]
    remarks: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Entry:
    """A line of a list.

    Args:
        name: of its case.
        side: it stands on; ``None`` where only the fold is told.
        fold: of a cross-validation, whose validation side it is on.
    """

    name: str
    side: str | None
    fold: int | None = None


def side_named(word: str) -> str | None:
    """The side that a word such as ``Training``, ``val`` or ``imagesTs`` names, ``None`` for any other word."""
    letters = re.sub("[^a-z]", "", word.lower())
    return WORDS.get(letters) or WORDS.get(PADDING.sub("", letters))


def divide(entries: Sequence[Entry]) -> tuple[Division, ...]:
    """The ways in which a list divides its cases: one, or one for each fold.

    A list with folds has lines for the sides of each fold, or a line a case with the fold that validates it. Then the
    other folds are for training, with what is on the training side and in no fold; where there are other sides, one
    more division sets all folds against them.
    """
    if all(entry.fold is None for entry in entries):
        return (_division("", [(entry.side or TRAIN, entry.name) for entry in entries]),)
    if any(entry.fold is not None and entry.side == VALIDATION for entry in entries):
        return _as_listed(entries)
    folded = [(entry.fold, entry.name) for entry in entries if entry.fold is not None and entry.side in (None, TRAIN)]
    unfolded = [(entry.side, entry.name) for entry in entries if entry.fold is None or entry.side not in (None, TRAIN)]
    bare = [(side or TRAIN, name) for side, name in unfolded]
    always = [(side, name) for side, name in bare if side == TRAIN]
    divisions = [
        _division(f"fold {fold}", [*always, *((VALIDATION if own == fold else TRAIN, name) for own, name in folded)])
        for fold in sorted({fold for fold, _ in folded if fold is not None})
    ]
    if len(bare) > len(always):
        divisions.append(_division("all folds", [*((TRAIN, name) for _, name in folded), *bare]))
    return tuple(divisions)


def _as_listed(entries: Sequence[Entry]) -> tuple[Division, ...]:
    """A division for each fold; lines of no fold count in all of them."""
    folds = sorted({entry.fold for entry in entries if entry.fold is not None})
    return tuple(
        _division(
            f"fold {fold}", [(entry.side or TRAIN, entry.name) for entry in entries if entry.fold in (None, fold)]
        )
        for fold in folds
    )


def _division(name: str, standing: Iterable[tuple[str, str]]) -> Division:
    """Sides in their order, each name once."""
    sides: dict[str, dict[str, None]] = {}
    for side, case in standing:
        sides.setdefault(side, {})[case] = None
    ranked = sorted(sides, key=lambda side: ORDER.index(side) if side in ORDER else len(ORDER))
    return Division(name, {side: tuple(sides[side]) for side in ranked})
