"""No network is tested on a patient that it learned from: the checks that every stage of a run makes.

A patient is known by the id without the year of the release (``Brats18_CBICA_AAB_1`` and ``BraTS19_CBICA_AAB_1`` are
one person: BraTS 2019's name mapping says so for all 285 patients of 2018). BraTS 2020 and 2021 renamed everyone, so
a person cannot be followed there without their name mapping files. Whatever the id, a scan is known by its voxels.

Ids of single slices and images are written ``subject#index``. A split by patient compares them by subject; the paper's
split, which shares patients between the sides by design, compares them one by one.

A run has a recipe (how a network is trained) and a protocol (what is split); each is ours or a paper's. The knobs are
called ``recipe`` and ``split_by``, and records of a run keep them as ``recipe`` and ``protocol``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from common.errors import CheckpointError, Problem, SplitLeakageError
from common.names import name_some, person_of, subject_of

PROTOCOLS = ("patient", "paper")
RECIPES = ("ours", "paper")
HASH_LENGTH = 16

Scans = Mapping[str, Collection[str]]
"""Of each subject, the hashes of its images' voxels."""

ANOTHER_ID = "(the same scan under another id)"
OVERRIDE_HINT = "Or add --allow_trained_on true: the result is then not an estimate for new patients."


def hash_subject(subject: str) -> str:
    """What a checkpoint stores about a patient: 16 hexadecimal digits of the SHA-256 of the person's id."""
    return hashlib.sha256(person_of(subject).encode("utf-8")).hexdigest()[:HASH_LENGTH]


def hash_scan(voxels: str) -> str:
    """What a checkpoint stores about an image of a patient: 16 digits, made of the hash of its voxels."""
    return hashlib.blake2b(voxels.encode("ascii"), digest_size=HASH_LENGTH // 2, key=b"trained on").hexdigest()


def recipe_of(record: Mapping[str, Any]) -> str | None:
    """The recipe that weights or measures record, ``ours`` or ``paper``; ``None`` where they record neither choice.

    Where only the protocol is recorded, the two were still one choice: the paper's split came with its recipe.
    """
    return record.get("recipe") or {"patient": "ours", "paper": "paper"}.get(str(record.get("protocol")))


def check_disjoint(
    sides: Mapping[str, Iterable[str]],
    where: str | Path | Mapping[str, str | Path],
    protocol: str = "patient",
    unit: str = "slice",
) -> None:
    """Check that no patient (under the paper's split: no slice, or image) is on two sides.

    Args:
        sides: the ids on each side; a side's name is used in the message.
        where: the file that the sides come from, or a file for each side.
        protocol: ``patient`` or ``paper``.
        unit: what the paper split, for the message.

    Raises:
        SplitLeakageError: names the ids, both sides and both files; all pairs of sides at once.
    """
    known_as = _slice_of if protocol == "paper" else _person_in
    keyed = {side: {known_as(unit): unit for unit in units} for side, units in sides.items()}
    problems = []
    for one, other in combinations(keyed, 2):
        shared = keyed[one].keys() & keyed[other].keys()
        if shared:
            ids = {keyed[one][key] for key in shared} | {keyed[other][key] for key in shared}
            problems.append(_leak(one, other, ids, where, unit if protocol == "paper" else "patient"))
    if problems:
        raise SplitLeakageError(problems)


def check_unseen(
    provenance: Mapping[str, Any],
    subjects: Iterable[str],
    allow_trained_on: bool = False,
    checkpoint_path: str | Path = "the checkpoint",
    split_hash: str | None = None,
    scans: Scans | None = None,
) -> None:
    """Refuse to evaluate a checkpoint on patients it learned from, or was chosen on, under whatever id.

    Args:
        provenance: the checkpoint's record, with ``training_subjects`` and ``validation_subjects`` (hashes), and
            perhaps ``training_scans`` and ``validation_scans``.
        subjects: the ids (of subjects or slices) to evaluate on.
        allow_trained_on: check nothing.
        checkpoint_path: for the message.
        split_hash: the hash of this run's split. A checkpoint of the paper's split shares patients with its own test
            side by design; it is accepted only on the test side of the split that it was trained on. ``None`` on
            other sides.
        scans: of the subjects.

    Raises:
        SplitLeakageError: names the patients.
        CheckpointError: the checkpoint does not say which patients it learned from.
    """
    if allow_trained_on or _is_own_paper_split(provenance, split_hash):
        return
    _require_subjects(provenance, checkpoint_path, OVERRIDE_HINT)
    people = {subject_of(unit) for unit in subjects}
    seen = _recognise(provenance, "training", people, scans)
    judged = _recognise(provenance, "validation", people - seen.keys(), scans)
    problems = []
    if seen:
        what = f"it learned from patients to evaluate on: {name_some(seen.values())}"
        problems.append(Problem(what, checkpoint_path, f"Use the split it was trained with. {OVERRIDE_HINT}"))
    if judged:
        what = f"its best epoch was chosen on patients to evaluate on: {name_some(judged.values())}"
        problems.append(Problem(what, checkpoint_path, f"Use the split it was trained with. {OVERRIDE_HINT}"))
    if problems:
        raise SplitLeakageError(problems)


def check_start(
    provenance: Mapping[str, Any],
    sides: Mapping[str, Iterable[str]],
    checkpoint_path: str | Path = "the checkpoint",
    split_hash: str | None = None,
    scans: Scans | None = None,
) -> None:
    """Refuse to continue from a checkpoint that learned from this run's held-out patients.

    Its training patients may be on neither the validation nor the test side; the patients its best epoch was chosen
    on may not be on the test side.

    Args:
        provenance: as for :func:`check_unseen`.
        sides: the ids on the sides ``validation`` and ``test`` of this run.
        checkpoint_path: for the message.
        split_hash: as for :func:`check_unseen`.
        scans: of the subjects of both sides.

    Raises:
        SplitLeakageError: names the patients, for both sides at once.
        CheckpointError: the checkpoint does not say which patients it learned from.
    """
    if _is_own_paper_split(provenance, split_hash):
        return
    _require_subjects(provenance, checkpoint_path)
    problems = []
    for side, parts in (("validation", ["training"]), ("test", ["training", "validation"])):
        people = {subject_of(unit) for unit in sides[side]}
        known = {name: told for part in parts for name, told in _recognise(provenance, part, people, scans).items()}
        if known:
            what = f"it was trained or chosen on patients of this run's {side} side: {name_some(known.values())}"
            hint = "Start from a checkpoint of the same seed, fold and data set, or give this run its split.json."
            problems.append(Problem(what, checkpoint_path, hint))
    if problems:
        raise SplitLeakageError(problems)


def knows_scan(provenance: Mapping[str, Any], voxels: Iterable[str]) -> bool | None:
    """Whether weights were trained or chosen on a scan, given its images' hashes; ``None`` where they do not say."""
    if not provenance.get("training_scans"):
        return None
    known = {*provenance["training_scans"], *provenance.get("validation_scans", ())}
    return not known.isdisjoint(map(hash_scan, voxels))


def _person_in(unit: str) -> str:
    return person_of(subject_of(unit))


def _slice_of(unit: str) -> str:
    """``Brats18_A#7`` and ``BraTS19_A#007`` are one slice."""
    subject, mark, index = unit.rpartition("#")
    return f"{person_of(subject)}#{int(index)}" if mark and index.isdigit() else person_of(unit)


def _leak(one: str, other: str, ids: set[str], where: str | Path | Mapping[str, str | Path], kind: str) -> Problem:
    files = f"{where[one]} and {where[other]}" if isinstance(where, Mapping) else where
    what = f"the same {kind}s are in {one} and in {other}: {name_some(ids)}"
    return Problem(what, files, f"Leave each {kind} on one side only.")


def _is_own_paper_split(provenance: Mapping[str, Any], split_hash: str | None) -> bool:
    return (
        provenance.get("protocol") == "paper" and split_hash is not None and provenance.get("split_hash") == split_hash
    )


def _require_subjects(provenance: Mapping[str, Any], checkpoint_path: str | Path, way_out: str = "") -> None:
    if "training_subjects" not in provenance:
        hint = f"Use a checkpoint written by this suite. {way_out}".rstrip()
        raise CheckpointError(Problem("it does not say which patients it learned from", checkpoint_path, hint))


def _recognise(provenance: Mapping[str, Any], part: str, people: Iterable[str], scans: Scans | None) -> dict[str, str]:
    """Which people a checkpoint's training or validation side held, by id or by scan, and how to call them."""
    ids, images = (set(provenance.get(f"{part}_{kind}", ())) for kind in ("subjects", "scans"))
    met = {}
    for subject in people:
        if hash_subject(subject) in ids:
            met[subject] = subject
        elif any(hash_scan(voxels) in images for voxels in (scans or {}).get(subject, ())):
            met[subject] = f"{subject} {ANOTHER_ID}"
    return met
