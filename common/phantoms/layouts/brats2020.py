"""Phantom cohorts in the layout of a data set, BraTS 2020's training data by default, as after its download.

What a model can learn from them is stated in :mod:`common.phantoms.generative_rule`. Every image says in its
header, and every folder in its README.txt, that it is not a patient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from isal import igzip
from numpy.typing import NDArray

from common.cohorts.phantom_mark import MARK
from common.errors import KnobError, Problem
from common.files import atomic_path, write_text
from common.formats.nifti import brats_affine
from common.phantoms import generative_rule
from common.phantoms.generative_rule import PhantomPatient, draw_patient
from common.phantoms.scans import PhantomSubject, phantom_subject
from common.phantoms.writing.folder import make_each, refuse_filled, write_table

TRAINING_FOLDER = "MICCAI_BraTS2020_TrainingData"
FULL_SHAPE = (240, 240, 155)
SMALLEST_SIDE = 16
LARGEST_SIDE = 512

_README = """These are phantoms, not patients: images and values made by a program from a seed.
They serve to try and to test software; no result on them says anything about people.

Made with: seed {seed}, {patients} patients, shape {shape}, LGG share {lgg_share},
LGG {clinical} clinical values{blind}.
A voxel measures 1 mm, as in BraTS, so a head is {scale:.4g} of a full one in volume, and so is V below.
The rule that made grade and survival is the docstring of common/phantoms/generative_rule.py:

{rule}
"""


Tables = Callable[[Path, Sequence[PhantomPatient], bool], None]
"""Writes a data set's tables into its folder, those of LGG too where the last is true."""


@dataclass(frozen=True)
class BratsLayout:
    """How a data set lies on disk.

    Args:
        folder: the one that its download unpacks to.
        write: writes a patient's images into it.
        write_tables: writes its tables, where it has any.
        finish: writes into the folder what is of no single patient.
        lgg_share: share of the patients whose grade is LGG, where the data set is of one grade.
    """

    folder: str
    write: Callable[[Path, PhantomSubject], None]
    write_tables: Tables | None = None
    finish: Callable[[Path], None] | None = None
    lgg_share: float | None = None


def write_brats2020(folder: Path, subject: PhantomSubject) -> None:
    """Write a patient's folder of NIfTI files as BraTS 2020 names them."""
    name = subject_id(subject.patient)
    for modality, voxels in subject.modalities.items():
        write_nifti(folder / name / f"{name}_{modality}.nii.gz", voxels)
    write_nifti(folder / name / f"{name}_seg.nii.gz", subject.mask.astype(np.int16))


def write_brats2020_tables(folder: Path, cohort: Sequence[PhantomPatient], lgg_clinical: bool) -> None:
    """Write the two CSV files of BraTS 2020."""
    write_table(folder / "name_mapping.csv", name_mapping(cohort))
    recorded = [patient for patient in cohort if lgg_clinical or patient.recorded_grade == "HGG"]
    write_table(folder / "survival_info.csv", survival_info(recorded))


BRATS2020 = BratsLayout(TRAINING_FOLDER, write_brats2020, write_brats2020_tables)


def make_brats_phantoms(
    root: str | Path,
    patients: int = 24,
    shape: Sequence[int] = FULL_SHAPE,
    seed: int = 0,
    lgg_share: float = 0.3,
    *,
    lgg_clinical: bool = False,
    blind_grade: bool = False,
    layout: BratsLayout = BRATS2020,
    progress: bool = False,
) -> Path:
    """Write a phantom cohort that looks like a data set's training data.

    A patient depends on ``seed``, ``lgg_share`` and the index alone: a larger cohort begins with the smaller one.

    Args:
        root: an empty or new folder.
        patients: how many, at least 1.
        shape: voxels along x, y and z. The head fills it as it fills BraTS's 240 x 240 x 155, and a voxel measures 1 mm
            as in BraTS: a smaller shape holds a smaller head, and the tumour's volume shrinks with it.
        seed: not negative.
        lgg_share: share of the patients whose grade is LGG, in [0, 1], unless the layout is of one grade.
        lgg_clinical: write age, survival and resection of the LGG patients too; BraTS has none.
        blind_grade: write grades that the tumours do not show: without ``lgg_clinical`` only the absence of the
            clinical values predicts them. The images are the same.
        layout: the data set's.
        progress: show a bar.

    Returns:
        the folder that holds the patients' images and, where the data set has them, the two CSV files.

    Raises:
        KnobError: a setting has no meaning; all of them at once.
        OutputError: ``root`` is a file or is not empty, or cannot be written to.
    """
    lgg_share = lgg_share if layout.lgg_share is None else layout.lgg_share
    size = check_settings(patients, shape, seed, lgg_share)
    refuse_filled(Path(root))
    folder = Path(root) / layout.folder

    def write(index: int) -> None:
        layout.write(folder, phantom_subject(seed, index, size, lgg_share))

    list(make_each(write, range(patients), "patient", progress))
    if layout.write_tables:
        cohort = [draw_patient(seed, index, lgg_share, blind_grade) for index in range(patients)]
        layout.write_tables(folder, cohort, lgg_clinical)
    if layout.finish:
        layout.finish(folder)
    write_text(folder / "README.txt", _readme(patients, size, seed, lgg_share, lgg_clinical, blind_grade))
    return folder


def subject_id(patient: PhantomPatient) -> str:
    """The patient's name in BraTS 2020, which counts from 1."""
    return f"BraTS20_Training_{patient.index + 1:03d}"


def name_mapping(cohort: Sequence[PhantomPatient]) -> pd.DataFrame:
    """BraTS 2020's ``name_mapping.csv``.

    Returns:
        One row per patient: ``Grade``, the id in ``BraTS_2020_subject_ID``, and empty ids of earlier challenges.
    """
    table = pd.DataFrame({"Grade": [patient.recorded_grade for patient in cohort]})
    for column in ("BraTS_2017_subject_ID", "BraTS_2018_subject_ID", "TCGA_TCIA_subject_ID", "BraTS_2019_subject_ID"):
        table[column] = None
    table["BraTS_2020_subject_ID"] = [subject_id(patient) for patient in cohort]
    return table


def survival_info(cohort: Sequence[PhantomPatient]) -> pd.DataFrame:
    """BraTS 2020's ``survival_info.csv``.

    Returns:
        One row per patient: ``Brats20ID``, ``Age``, ``Survival_days``, ``Extent_of_Resection``.
    """
    rows = [
        (subject_id(patient), f"{patient.age:.3f}", _survival_text(patient), patient.resection) for patient in cohort
    ]
    return pd.DataFrame(rows, columns=["Brats20ID", "Age", "Survival_days", "Extent_of_Resection"])


def _survival_text(patient: PhantomPatient) -> str:
    return f"ALIVE ({patient.survival_days} days later)" if patient.alive else str(patient.survival_days)


def write_nifti(path: Path, voxels: NDArray[np.int16]) -> None:
    """Write a volume with BraTS's geometry and the phantoms' mark."""
    save_nifti(path, nib.Nifti1Image(voxels, brats_affine(voxels.shape[1])))


def save_nifti(path: Path, image: nib.Nifti1Image) -> None:
    """Write an image with the phantoms' mark, its affine as a scanner gives it; the same image gives the same bytes."""
    image.set_qform(image.affine, code="scanner")
    image.set_sform(image.affine, code="scanner")
    image.header["descrip"] = MARK
    image.header.set_xyzt_units("mm")
    with atomic_path(path) as temporary:
        temporary.write_bytes(igzip.compress(image.to_bytes(), 1, mtime=0))


def _readme(
    patients: int, shape: tuple[int, ...], seed: int, lgg_share: float, lgg_clinical: bool, blind_grade: bool
) -> str:
    return _README.format(
        seed=seed,
        patients=patients,
        shape=" x ".join(map(str, shape)),
        scale=math.prod(shape) / math.prod(FULL_SHAPE),
        lgg_share=lgg_share,
        clinical="with" if lgg_clinical else "without",
        blind=", grades blind to the tumour" if blind_grade else "",
        rule=generative_rule.__doc__,
    )


def check_settings(patients: int, shape: Sequence[int], seed: int, lgg_share: float = 0.0) -> tuple[int, int, int]:
    """Check the settings of phantom volumes.

    Args:
        patients: at least 1.
        shape: voxels along x, y and z.
        seed: not negative.
        lgg_share: in [0, 1].

    Returns:
        The shape as a tuple.

    Raises:
        KnobError: a setting of phantom volumes has no meaning; all of them at once.
    """
    problems = []
    if patients < 1:
        problems.append(Problem(f"{patients} patients are not a cohort", "patients", "Ask for at least 1."))
    if seed < 0:
        problems.append(Problem(f"a seed of {seed} is negative", "seed", "Use 0 or more."))
    if not 0 <= lgg_share <= 1:
        problems.append(Problem(f"{lgg_share} is not a share", "lgg_share", "Use a number from 0 to 1."))
    if len(shape) != 3 or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in shape):
        given = " ".join(map(str, shape))
        hint = f"Give three whole numbers from {SMALLEST_SIDE} to {LARGEST_SIDE}, such as 240 240 155."
        problems.append(Problem(f"'{given}' is not a shape of a volume that a head fits in", "shape", hint))
    if problems:
        raise KnobError(problems)
    x, y, z = map(int, shape)
    return x, y, z
