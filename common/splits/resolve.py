"""From a cohort and knobs to the split of a run: made once, kept in the run's folder, never changed silently."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from common.errors import Problem, SplitError
from common.names import name_some, subject_of
from common.records import Record
from common.splits.draw import check_parts, draw_split
from common.splits.folds import PUBLISHED_SHARES
from common.splits.manifest import BY_HAND, SplitManifest, load_manifest

FILE_NAME = "split.json"
WAIT_SECONDS = 60.0
INDEX_KEYS = {"slice": "slices", "image": "images"}
"""Where a record holds its part of a split over slices or images."""


def resolve_split(
    records: Sequence[Record],
    output_dir: str | Path,
    seed: int = 0,
    fold: int = 0,
    folds: int = 5,
    split_file: str | Path | None = None,
    protocol: str = "patient",
    stratify_by: str | None = "grade",
    slices_per_subject: Mapping[str, int] | None = None,
    method: str = "k_fold",
    train_share: float = 0.8,
    unit: str = "slice",
    shares: Sequence[float] = PUBLISHED_SHARES,
    stratify_units_by: str | None = None,
) -> SplitManifest:
    """The split of this run, written to ``<output_dir>/split.json`` and reused where it still fits.

    An existing split is reused where settings and cohort are the same, even if a newer scikit-learn would draw it
    otherwise. A split file must be exactly the same.

    Args:
        records: the cohort.
        output_dir: the run's folder; rank 0 (environment variable ``RANK``) writes, the other ranks wait for the file.
        seed: of the draw.
        fold: which fold, or which repeat, is tested.
        folds: how many folds, or repeats.
        split_file: a manifest of your own; it takes the place of seed, fold, folds, method and train share.
        protocol: ``patient`` or ``paper``.
        stratify_by: a key of the records, ``None`` for no stratification.
        slices_per_subject: how many slices each volume, or images each patient, has; needed for ``paper`` without a
            split file.
        method: see :func:`common.splits.draw.draw_split`.
        train_share: of the methods ``hold_out_k_fold`` and ``monte_carlo``.
        unit: what ``paper`` splits, ``slice`` (P3), ``image`` (P1) or ``subject`` (P2, whose subjects are images).
        shares: of ``paper``'s training, validation and test side.
        stratify_units_by: a key of the records whose values ``paper`` spreads evenly over the sides.

    Returns:
        The ids on each side, the settings of the draw, and the scans of each subject; see :func:`with_scans`.

    Raises:
        SplitError: the split cannot be drawn, a split file does not fit the cohort or the protocol, or the run's
            folder holds another split.
        SplitLeakageError: a patient is on two sides of the split file.
    """
    path = Path(output_dir) / FILE_NAME
    if split_file is not None:
        own_split = _load_own(records, Path(split_file), protocol, unit)
        return with_scans(_keep(own_split, path, exactly=True), records)
    drawn = draw_split(
        records,
        seed=seed,
        fold=fold,
        folds=folds,
        protocol=protocol,
        stratify_by=stratify_by,
        slices_per_subject=slices_per_subject,
        method=method,
        train_share=train_share,
        unit=unit,
        shares=shares,
        stratify_units_by=stratify_units_by,
    )
    return with_scans(_keep(drawn, path, exactly=False), records)


def with_scans(manifest: SplitManifest, records: Sequence[Record]) -> SplitManifest:
    """The split, with what is known of its subjects' scans: their names, and the hashes of their images' voxels.

    Args:
        manifest: the split.
        records: prepared cases of the cohort, or of a side of it.
    """
    scans: dict[str, set[str]] = {}
    voxels: dict[str, set[str]] = {}
    for record in records:
        if record.get("scan"):
            scans.setdefault(record["subject"], set()).add(str(record["scan"]))
        hashes = record.get("voxel_hashes", {}).values()
        voxels.setdefault(record["subject"], set()).update(str(found[0]) for found in hashes)
    return replace(manifest, scans=_sorted(scans), voxels=_sorted(voxels))


def side_records(records: Sequence[Record], manifest: SplitManifest, side: str) -> list[Record]:
    """Copies of the records on a side, in the cohort's order.

    Args:
        records: the cohort.
        manifest: its split.
        side: ``train``, ``validation`` or ``test``.

    Returns:
        The records on the side. Where slices or images were split, each holds the sorted indices of its own on this
        side under ``slices`` or ``images``, and a record without any is left out.
    """
    units = set(manifest.sides[side])
    if manifest.unit == "subject":
        return [record.copy() for record in records if record["subject"] in units]
    indices: dict[str, list[int]] = {}
    for unit in units:
        indices.setdefault(subject_of(unit), []).append(int(unit.rpartition("#")[2]))
    key = INDEX_KEYS[manifest.unit]
    own = {subject: {key: sorted(places)} for subject, places in indices.items()}
    return [{**record, **cast(Record, own[record["subject"]])} for record in records if record["subject"] in own]


def _sorted(names: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {subject: tuple(sorted(found)) for subject, found in names.items()}


def _load_own(records: Sequence[Record], path: Path, protocol: str, unit: str) -> SplitManifest:
    manifest = load_manifest(path)
    if manifest.method == BY_HAND and manifest.unit == "subject":
        manifest = replace(manifest, protocol=protocol)
    if manifest.protocol != protocol:
        what = f"it was made under the {manifest.protocol} protocol, and this run is under the {protocol} protocol"
        raise SplitError(Problem(what, path, "Add or leave out configs/paper.yaml, or take another split file."))
    if manifest.unit not in ("subject", unit):
        what = f"it splits {manifest.unit}s, and this run splits {unit}s"
        raise SplitError(Problem(what, path, "Take a split file of the same bundle, or one of patients."))
    if manifest.unit != "subject":
        check_parts(records, manifest.unit)
    present = {record["subject"] for record in records}
    absent = set(manifest.subjects()) - present
    if absent:
        what = f"it names patients that are not in the data set: {name_some(absent)}"
        hint = "Check --dataset_dir and --exclude, or take these patients out of the file."
        raise SplitError(Problem(what, path, hint))
    return replace(manifest, unused=tuple(sorted(present - set(manifest.subjects()))))


def _keep(wanted: SplitManifest, path: Path, exactly: bool) -> SplitManifest:
    """Write the split, or reuse the one that is there if it fits."""
    if not path.exists():
        if int(os.environ.get("RANK", "0")) == 0:
            wanted.save(path)
            return wanted
        _wait_for(path)
    found = load_manifest(path)
    fits = found.settings == wanted.settings and found.cohort_hash == wanted.cohort_hash
    if not fits or (exactly and found.hash != wanted.hash):
        hint = "Choose another --output_dir, delete it (--overwrite true when training), or pass it as --split_file."
        raise SplitError(
            Problem(f"the run's folder holds another split: {_describe_difference(found, wanted)}", path, hint)
        )
    return replace(found, unused=wanted.unused)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            what = f"rank 0 has not written the split within {WAIT_SECONDS:.0f} s"
            raise SplitError(Problem(what, path, "Look at rank 0's messages; all ranks must share --output_dir."))
        time.sleep(0.1)


def _describe_difference(found: SplitManifest, wanted: SplitManifest) -> str:
    changed = [
        f"{name} was {found.settings.get(name)} and is {wanted.settings.get(name)}"
        for name in {**found.settings, **wanted.settings}
        if found.settings.get(name) != wanted.settings.get(name)
    ]
    gone, new = set(found.subjects()) - set(wanted.subjects()), set(wanted.subjects()) - set(found.subjects())
    changed += [f"this run lacks {name_some(gone)}"] if gone else []
    changed += [f"this run adds {name_some(new)}"] if new else []
    return "; ".join(changed) or "the patients are on different sides"
