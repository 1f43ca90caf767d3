"""A patient of whom one file is at hand: what its name tells, and the other modalities beside it.

A viewer opens one file. BraTS and many hospitals name the files of a patient alike but for the modality:
``p01_flair.nii.gz``, ``p01_t1.nii.gz``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from common.cohorts.datasets.brats_releases import Release, find_release
from common.records import MODALITIES, Record

PathLike = str | os.PathLike[str]

ENDINGS = (".nii.gz", ".nii")
ANY_SOURCE = Release("files", "files", r".+")
"""Files that no release of BraTS names: ``<patient>_<modality>``."""


def named_by_file(file: PathLike, modalities: Sequence[str] = MODALITIES) -> Record:
    """What a file's name tells of the patient.

    Args:
        file: path or name.
        modalities: that a name may end with.

    Returns:
        ``subject``, and in BraTS 2023 ``scan``, ``source`` and ``mask_values`` too.
    """
    stem = _stem_of(file)
    scan = stem.rpartition("-")[0]
    if release := find_release(scan):
        return {**cast(Record, release.names(scan)), "mask_values": list(release.mask_values)}
    ends = (f"_{name}" for name in (*modalities, "seg"))
    return {"subject": next((stem.removesuffix(end) for end in ends if stem.endswith(end)), stem)}


def find_siblings(file: PathLike) -> dict[str, str]:
    """The modalities that lie beside a file of one of them.

    Args:
        file: its name tells which modality it is.

    Returns:
        The path of each modality that is there, the file itself among them; empty where its name tells no modality.
    """
    path = Path(file)
    names = expected_siblings(path)
    found = {key: next((other for name in stems if (other := _file_called(path, name))), "") for key, stems in names}
    return {key: name for key, name in found.items() if name}


def expected_siblings(file: PathLike) -> list[tuple[str, list[str]]]:
    """What the files of each modality may be called, without endings; empty where the name tells no modality."""
    stem = _stem_of(file)
    for separator in ("-", "_"):
        patient = stem.rpartition(separator)[0]
        release = find_release(patient) or ANY_SOURCE
        names = [(key, release.stems(patient, key)) for key in MODALITIES]
        if patient and any(stem in stems for _, stems in names):
            return names
    return []


def _stem_of(file: PathLike) -> str:
    name = Path(file).name
    return next((name[: -len(ending)] for ending in ENDINGS if name.endswith(ending)), name)


def _file_called(beside: Path, stem: str) -> str:
    files = (beside.with_name(stem + ending) for ending in ENDINGS)
    return next((str(file) for file in files if file.is_file()), "")
