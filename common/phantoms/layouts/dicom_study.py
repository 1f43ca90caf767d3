"""Phantom patients as DICOM studies: four series on one grid, of a brain without skull, as BraTS's images would be.

The voxels, and where they lie, are those of the same phantom in BraTS 2020's layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from common.cohorts.phantom_mark import MARK
from common.files import write_text
from common.phantoms.anatomy.head import add_head
from common.phantoms.layouts.brats2020 import FULL_SHAPE, check_settings
from common.phantoms.scans import PhantomSubject, phantom_subject
from common.phantoms.writing.dicom_writer import write_slice
from common.phantoms.writing.folder import refuse_filled

SERIES = {"t1": "Ax T1", "flair": "Ax FLAIR", "t2": "Ax T2", "t1ce": "Ax T1 post Gd"}
"""Descriptions of the series, in the order in which they are numbered from 2."""

FIRST_NUMBER = 2

_README = """These are phantoms, not patients: images made by a program from a seed.
They serve to try and to test software; no result on them says anything about people.

Made with: seed {seed}, {patients} patients, shape {shape}, voxels of 1 mm; one study of four series per folder.
"""


def make_dicom_studies(
    root: str | Path,
    patients: int = 1,
    shape: Sequence[int] = FULL_SHAPE,
    seed: int = 0,
    *,
    head: bool = False,
    progress: bool = False,
) -> list[Path]:
    """Write studies, ``study_000`` and so on.

    Args:
        root: an empty or new folder.
        patients: how many, at least 1.
        shape: voxels along x, y and z; a voxel measures 1 mm.
        seed: not negative; with the same one, patients are those of BraTS 2020's phantoms.
        head: add skull and scalp, which the bundles do not read.
        progress: show a bar.

    Returns:
        The folder of each study.

    Raises:
        KnobError: a setting has no meaning; all of them at once.
        OutputError: ``root`` is a file or is not empty, or cannot be written to.
    """
    root = Path(root)
    size = check_settings(patients, shape, seed)
    refuse_filled(root)

    folders = [
        _write_study(root / f"study_{index:03d}", phantom_subject(seed, index, size), head)
        for index in tqdm(range(patients), "phantoms", unit="study", disable=not progress)
    ]
    write_text(root / "README.txt", _README.format(seed=seed, patients=patients, shape=" x ".join(map(str, size))))
    return folders


def _write_study(folder: Path, subject: PhantomSubject, head: bool) -> Path:
    for number, (modality, description) in enumerate(SERIES.items(), FIRST_NUMBER):
        voxels = subject.modalities[modality]
        if head:
            rng = np.random.default_rng([subject.patient.index, number])
            voxels = np.rint(add_head(voxels, subject.spacing, rng)).astype(np.int16)
        write_series(folder / f"{number:02d}", voxels, number, f"{folder.name}/{modality}", description)
    return folder


def write_series(
    folder: Path,
    voxels: NDArray[np.int16],
    number: int,
    series: str,
    description: str,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a volume as an axial series with BraTS's geometry.

    Args:
        folder: gets a file per slice.
        voxels: (x, y, z).
        number: of the series.
        series: ``<study>/<series>``; the study's part names study, patient and frame of reference.
        description: of the series.
        tags: further elements.
    """
    elements = {
        "0008|103e": description,
        "0008|2111": MARK,
        "0010|0020": series.partition("/")[0],
        "0020|0011": str(number),
        **(tags or {}),
    }
    for level in range(voxels.shape[2]):
        write_slice(
            folder / f"{level + 1:04d}.dcm",
            voxels[:, :, level].T,
            position=(0.0, 1.0 - voxels.shape[1], float(level)),
            spacing=(1.0, 1.0),
            series=series,
            number=level + 1,
            tags=elements,
        )
