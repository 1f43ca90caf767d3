"""The split as a file: the ids on each side, how they were drawn, and a hash that shows whether it was changed.

A file made by hand needs nothing but the three sides::

    {"train": ["BraTS20_Training_001", ...], "validation": [...], "test": [...]}
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.errors import Problem, SplitError
from common.files import read_json, stable_hash, write_json
from common.names import name_some, subject_of
from common.splits.guard import PROTOCOLS, check_disjoint, hash_scan, hash_subject

SIDES = ("train", "validation", "test")
UNITS = ("subject", "slice", "image")
SETTINGS = ("protocol", "method", "unit", "seed", "fold", "folds", "train_share", "stratify_by")
BY_HAND = "by_hand"
PART = re.compile(r".+#\d+")


@dataclass(frozen=True)
class SplitManifest:
    """The ids on each side of a split, and the settings that it was drawn with.

    Args:
        sides: sorted ids under ``train``, ``validation`` and ``test``; for the units ``slice`` and ``image`` they
            are ``subject#index``.
        cohort_hash: of the sorted ids of all subjects that were split.
        protocol: ``patient`` or ``paper``.
        method: ``k_fold``, ``hold_out_k_fold``, ``monte_carlo``, ``external``, ``slice_split``, ``image_split``, or
            ``by_hand`` for a file of your own.
        unit: what the ids on a side are, ``subject``, ``slice`` or ``image``.
        seed: of the draw; ``None`` where nothing was drawn, like the following ones.
        fold: which of ``folds`` splits this is, from 0.
        folds: how many splits there are.
        train_share: of a Monte-Carlo split.
        stratify_by: the key that was spread evenly.
        shares: of the sides of a split over slices or images, ``None`` for P3's; a setting only where there are any,
            so that the hashes of earlier splits stay.
        unused: subjects of the folder that a file of your own leaves out; no part of the split, nor of its hash.
        scans: the scans of each subject, as the cohort says; no part of the split either. A group of copies is named
            after one of its images and may be another group in another run, but its images keep their names.
        voxels: the hashes of each subject's images, as the cohort says; no part of the split either.
    """

    sides: Mapping[str, tuple[str, ...]]
    cohort_hash: str
    protocol: str = "patient"
    method: str = BY_HAND
    unit: str = "subject"
    seed: int | None = None
    fold: int | None = None
    folds: int | None = None
    train_share: float | None = None
    stratify_by: str | None = None
    shares: tuple[float, ...] | None = None
    unused: tuple[str, ...] = field(default=(), compare=False)
    scans: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    voxels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides the split besides the cohort."""
        shares = {"shares": list(self.shares)} if self.shares else {}
        return {**{name: getattr(self, name) for name in SETTINGS}, **shares}

    @property
    def hash(self) -> str:
        """Changes with every setting, id and side."""
        return stable_hash([self.settings, self.cohort_hash, {side: list(self.sides[side]) for side in SIDES}])

    def subjects(self, *sides: str) -> tuple[str, ...]:
        """The subjects on the named sides.

        Args:
            sides: their names; all sides if none is given.

        Returns:
            Sorted ids, each once.
        """
        return tuple(sorted({subject_of(unit) for side in sides or SIDES for unit in self.sides[side]}))

    def known_as(self, *sides: str) -> tuple[str, ...]:
        """All names of the subjects on the named sides.

        Args:
            sides: their names; all sides if none is given.

        Returns:
            The ids of the subjects and of their scans, sorted.
        """
        subjects = self.subjects(*sides)
        return tuple(sorted({name for subject in subjects for name in (subject, *self.scans.get(subject, ()))}))

    def provenance(self, start: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a checkpoint must store of the split.

        Args:
            start: the provenance of the checkpoint that the run continues from; its patients are added.

        Returns:
            ``protocol``, ``split_hash``, the hashed ids of patients and their scans under ``training_subjects`` and
            ``validation_subjects``, and those of their images' voxels under ``training_scans`` and
            ``validation_scans``; strings and lists only, so that it loads with ``weights_only=True``.
        """
        known: dict[str, set[str]] = {}
        for part, side in (("training", "train"), ("validation", "validation")):
            known[f"{part}_subjects"] = set(map(hash_subject, self.known_as(side)))
            known[f"{part}_scans"] = {
                hash_scan(voxels) for subject in self.subjects(side) for voxels in self.voxels.get(subject, ())
            }
        before = start or {}
        learnt = {name: sorted(hashes.union(before.get(name, ()))) for name, hashes in known.items()}
        return {"protocol": self.protocol, "split_hash": self.hash, **learnt}

    def to_json(self) -> dict[str, Any]:
        """Plain lists, strings and numbers: ``hash``, the settings, ``cohort_hash``, and the ids of each side."""
        sides = {side: list(self.sides[side]) for side in SIDES}
        return {"hash": self.hash, **self.settings, "cohort_hash": self.cohort_hash, **sides}

    def save(self, path: str | Path) -> None:
        """Write it as JSON, atomically."""
        write_json(path, self.to_json())

    @classmethod
    def from_json(cls, content: Any, where: str | Path = "the split manifest") -> SplitManifest:
        """Read what :meth:`to_json` wrote, or a file written by hand without a ``hash``.

        Raises:
            SplitError: what is missing or malformed; or the hash does not fit, so that the file was changed.
            SplitLeakageError: a patient (published protocol: a slice) is on two sides.
        """
        _refuse(_wrong_sides(content, where))
        sides = {side: tuple(sorted(content[side])) for side in SIDES}
        given = {name: content[name] for name in SETTINGS if name in content}
        given |= {"shares": tuple(content["shares"])} if content.get("shares") else {}
        _refuse(_wrong_settings(given, where) or _wrong_parts(given.get("unit"), sides, where))
        everyone = {subject_of(unit) for side in SIDES for unit in sides[side]}
        manifest = cls(sides, str(content.get("cohort_hash") or cohort_hash(everyone)), **given)
        if "hash" in content and content["hash"] != manifest.hash:
            hint = 'Make it anew, or delete its "hash" and "cohort_hash" to use it as your own split.'
            raise SplitError(Problem("it was changed after it was made: its hash does not fit", where, hint))
        by_part = manifest.protocol == "paper" and manifest.unit != "subject"
        check_disjoint(sides, where, "paper" if by_part else "patient", manifest.unit)
        return manifest


def cohort_hash(subjects: Iterable[str]) -> str:
    """The same for two cohorts with the same subjects, else different."""
    return stable_hash(sorted(set(subjects)))


def load_manifest(path: str | Path) -> SplitManifest:
    """Read a split manifest.

    Raises:
        SplitError: the file is missing, no JSON, incomplete, or was changed after it was made.
        SplitLeakageError: a patient is on two sides.
    """
    try:
        content = read_json(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SplitError(Problem(f"the split file cannot be read ({reason})", path, "Check --split_file.")) from error
    except ValueError as error:
        hint = 'It looks like {"train": ["id", ...], "validation": [...], "test": [...]}.'
        raise SplitError(Problem(f"the split file is not JSON ({error})", path, hint)) from error
    return SplitManifest.from_json(content, path)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise SplitError(problems)


def _wrong_sides(content: Any, where: str | Path) -> list[Problem]:
    if not isinstance(content, dict):
        return [Problem("the split file holds no sides", where, f"It needs a list of ids for each of {SIDES}.")]
    problems = []
    for side in SIDES:
        ids = content.get(side)
        if not isinstance(ids, list) or not all(isinstance(unit, str) for unit in ids):
            what = (
                f"the side '{side}' is missing" if ids is None else f"the side '{side}' is not a list of ids in quotes"
            )
            problems.append(Problem(what, where, f'Add "{side}": ["id", ...]; an empty list is allowed.'))
        elif twice := [unit for unit, count in Counter(ids).items() if count > 1]:
            problems.append(Problem(f"the side '{side}' names {name_some(twice)} twice", where, "Name each once."))
    return problems


def _wrong_settings(given: Mapping[str, Any], where: str | Path) -> list[Problem]:
    problems = []
    for name, allowed in (("protocol", PROTOCOLS), ("unit", UNITS)):
        if name in given and given[name] not in allowed:
            hint = f"Choose {' or '.join(allowed)}, or leave it out."
            problems.append(Problem(f"'{given[name]}' is not a {name}", where, hint))
    return problems


def _wrong_parts(unit: str | None, sides: Mapping[str, tuple[str, ...]], where: str | Path) -> list[Problem]:
    if unit not in ("slice", "image"):
        return []
    malformed = [name for side in SIDES for name in sides[side] if not PART.fullmatch(name)]
    what = f"these ids name no {unit}: {name_some(malformed)}"
    return [Problem(what, where, f"Each {unit} is written subject#index.")] if malformed else []
