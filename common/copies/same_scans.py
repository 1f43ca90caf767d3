"""The same scan under two subjects of a cohort, who may then be on both sides of a split.

Scans are compared by the hashes of their decoded voxels, each modality with all others, so a file that was renamed,
converted, compressed anew or listed as another modality is found as well.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.errors import Problem, list_some
from common.records import Record, scan_of

logger = logging.getLogger(__name__)

MOST_TOLD = 10
KEPT_TOGETHER = "give both the same subject in a --datalist, which keeps them on one side of every split"


@dataclass(frozen=True)
class Comparison:
    """What is the same in a cohort.

    Args:
        problems: a scan that two subjects share.
        warnings: what may be right: two modalities of a patient with the same voxels, or a moved copy.
    """

    problems: Sequence[Problem]
    warnings: Sequence[str]


@dataclass(frozen=True)
class _Image:
    """A modality of a scan."""

    modality: str
    record: Record

    @property
    def file(self) -> str:
        return str(self.record.get(self.modality) or self.record.get("image"))

    def __str__(self) -> str:
        return f"{self.modality} of {scan_of(self.record)}"


Pairs = dict[tuple[str, str], list[tuple[_Image, _Image]]]
"""Images that are the same, by the names of two scans."""


def same_scan_problems(cases: Sequence[Record]) -> list[Problem]:
    """The problems of :func:`compare_scans`; its warnings are logged."""
    found = compare_scans(cases)
    for warning in found.warnings:
        logger.warning("%s", warning)
    return list(found.problems)


def compare_scans(cases: Sequence[Record]) -> Comparison:
    """Find the scans of a cohort that are the same.

    Args:
        cases: with ``voxel_hashes``; those with the same ``subject`` may be the same.

    Returns:
        A problem for each two scans of different subjects that have an image in common. A warning for each two that
        have one whose values are the same at other places, as in a shifted or mirrored copy, and for each scan of which
        two modalities are the same.
    """
    by_voxels: dict[str, list[_Image]] = {}
    by_values: dict[str, list[_Image]] = {}
    for case in cases:
        for modality, (voxels, values) in case.get("voxel_hashes", {}).items():
            image = _Image(modality, case)
            by_voxels.setdefault(str(voxels), []).append(image)
            by_values.setdefault(str(values), []).append(image)
    by_values.pop("None", None)
    same = _pair(by_voxels.values())
    moved = {names: pairs for names, pairs in _pair(by_values.values()).items() if names not in same}
    alike = [_tell_alike(images) for images in by_voxels.values()]
    return Comparison(_sum_up(same), [*filter(None, alike), *_tell_moved(moved)])


def _pair(groups: Iterable[Sequence[_Image]]) -> Pairs:
    """The first image of each group with those of other subjects."""
    pairs: Pairs = {}
    for first, *others in groups:
        for other in others:
            if other.record["subject"] != first.record["subject"]:
                pairs.setdefault((scan_of(first.record), scan_of(other.record)), []).append((first, other))
    return pairs


def _sum_up(same: Pairs) -> list[Problem]:
    """A problem a pair; of many, one that names all others."""
    names = list(same)
    problems = [_problem(same[pair]) for pair in names[:MOST_TOLD]]
    rest = sorted({second for _, second in names[MOST_TOLD:]})
    if rest:
        what = f"{len(names) - MOST_TOLD} more pairs are the same scan"
        problems.append(Problem(what, "the cohort", f"To leave these out: --exclude {','.join(rest)}."))
    return problems


def _problem(pairs: Sequence[tuple[_Image, _Image]]) -> Problem:
    first, second = pairs[0]
    shared = ", ".join(_tell_pair(*pair) for pair in pairs)
    what = (
        f"these two are the same scan: {scan_of(first.record)} and {scan_of(second.record)} hold the same voxels "
        f"({shared})"
    )
    hint = f"If they are one patient, {KEPT_TOGETHER}; else leave one out with --exclude {scan_of(second.record)}."
    return Problem(what, f"{first.file} and {second.file}", hint)


def _tell_pair(first: _Image, second: _Image) -> str:
    return first.modality if first.modality == second.modality else f"{first} is {second}"


def _tell_alike(images: Sequence[_Image]) -> str | None:
    """Modalities of the first scan that have the same voxels."""
    name = scan_of(images[0].record)
    own = [image for image in images if scan_of(image.record) == name]
    if len(own) < 2:
        return None
    modalities = " and ".join(image.modality for image in own)
    files = ", ".join(image.file for image in own)
    return f"{modalities} of {name} hold the same voxels: one file may have been copied for another ({files})."


def _tell_moved(moved: Pairs) -> list[str]:
    if not moved:
        return []
    shown = list_some([" and ".join(map(str, pairs[0])) for pairs in moved.values()], MOST_TOLD, "; ")
    return [
        f"The same values at other places, as in a shifted, turned or mirrored copy: {shown}. "
        f"If they are one patient, {KEPT_TOGETHER}."
    ]
