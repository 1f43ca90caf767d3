"""Phantom patients in the layout of RSNA-MICCAI: DICOM series of four modalities and ``train_labels.csv``.

The MGMT status depends on nothing by default and is balanced: no model can beat chance on patients that it has not
learned from, which is what tests of leak-safe splits need. With ``learnable`` it is 1 where the tumour core enhances,
that is in HGG by the rule in :mod:`common.phantoms.generative_rule`, half of the patients. Pixel sizes differ between
the series, instances are not numbered by position, and some series are compressed, as in scanners' real output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import zoom
from tqdm import tqdm

from common.cohorts.datasets.rsna_miccai import ID_DIGITS, KNOWN_BAD, LABELS, SERIES_FOLDERS
from common.errors import KnobError, Problem
from common.files import write_text
from common.phantoms.scans import PhantomSubject, phantom_subject
from common.phantoms.writing.dicom_writer import COMPRESSIONS, write_slice
from common.phantoms.writing.folder import refuse_filled, write_table
from common.records import MODALITIES

SCALES = (1.0, 0.8, 1.25, 1.5)
"""How many pixels a series has along x and y, as multiples of the phantom's."""

SMALL_SHAPE = (128, 128, 24)
SMALLEST_SIDE, LARGEST_SIDE = 16, 512

_README = """These are phantoms, not patients: images and labels made by a program from a seed.
They serve to try and to test software; no result on them says anything about people.

Made with: seed {seed}, {patients} patients, shape {shape}. MGMT_value {rule}.
"""


def make_rsna_phantoms(
    root: str | Path,
    patients: int = 24,
    shape: Sequence[int] = SMALL_SHAPE,
    seed: int = 0,
    *,
    learnable: bool = False,
    progress: bool = False,
) -> Path:
    """Write a phantom cohort that looks like RSNA-MICCAI as downloaded.

    A patient depends on ``seed``, ``learnable`` and the index alone: a larger cohort begins with the smaller one.

    Args:
        root: an empty or new folder.
        patients: how many, at least 1.
        shape: voxels along x, y and z, which the head fills; the series' pixels are these, scaled by :data:`SCALES`.
        seed: not negative.
        learnable: write a label that the images show instead of a random one.
        progress: show a bar.

    Returns:
        ``root``, which holds ``train/`` and ``train_labels.csv``.

    Raises:
        KnobError: a setting has no meaning; all of them at once.
        OutputError: ``root`` is a file or is not empty, or cannot be written to.
    """
    root = Path(root)
    size = _check_settings(patients, shape, seed)
    refuse_filled(root)
    rows = []
    names = list(islice(_names(), patients))
    for index, name in enumerate(tqdm(names, "phantoms", unit="patient", disable=not progress)):
        subject = phantom_subject(seed, index, size, lgg_share=0.5)
        _write_patient(root / "train" / name, subject, np.random.default_rng([seed, index]))
        rows.append((name, int(subject.patient.grade == "HGG") if learnable else _draw_label(seed, index)))
    write_table(root / LABELS, pd.DataFrame(rows, columns=["BraTS21ID", "MGMT_value"]))
    rule = "is 1 where the tumour core enhances" if learnable else "comes from nothing"
    values = {"seed": seed, "patients": patients, "shape": " x ".join(map(str, size))}
    write_text(root / "README.txt", _README.format(**values, rule=rule))
    return root


def _names() -> Iterator[str]:
    """As the data set counts, from 0, without the patients that readers leave out."""
    number = 0
    while True:
        name = f"{number:0{ID_DIGITS}d}"
        if name not in KNOWN_BAD:
            yield name
        number += 1


def _draw_label(seed: int, index: int) -> int:
    """One of each two neighbours is methylated."""
    pair, place = divmod(index, 2)
    return int(np.random.default_rng([seed, pair, len(LABELS)]).permutation(2)[place])


def _write_patient(folder: Path, subject: PhantomSubject, rng: np.random.Generator) -> None:
    for modality in MODALITIES:
        scale = float(rng.choice(SCALES))
        compression = str(rng.choice(COMPRESSIONS, p=(0.8, 0.1, 0.1)))
        voxels = subject.modalities[modality]
        if scale != 1:
            voxels = np.rint(zoom(voxels.astype(np.float32), (scale, scale, 1), order=1)).astype(np.int16)
        spacing = tuple(
            span * before / after
            for span, before, after in zip(subject.spacing, subject.mask.shape, voxels.shape, strict=True)
        )
        _write_series(folder / SERIES_FOLDERS[modality], voxels, spacing, compression, is_downwards=rng.random() < 0.5)


def _write_series(
    folder: Path, voxels: NDArray[np.int16], spacing: Sequence[float], compression: str, is_downwards: bool
) -> None:
    depth = voxels.shape[2]
    for level in range(depth):
        number = depth - level if is_downwards else level + 1
        write_slice(
            folder / f"Image-{number}.dcm",
            voxels[:, :, level].T,
            position=(0.0, 0.0, level * spacing[2]),
            spacing=spacing[:2],
            series=f"{folder.parent.name}/{folder.name}",
            thickness=spacing[2],
            number=number,
            compression=compression,
        )


def _check_settings(patients: int, shape: Sequence[int], seed: int) -> tuple[int, int, int]:
    problems = []
    if patients < 1:
        problems.append(Problem(f"{patients} patients are not a cohort", "patients", "Ask for at least 1."))
    if seed < 0:
        problems.append(Problem(f"a seed of {seed} is negative", "seed", "Use 0 or more."))
    if len(shape) != 3 or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in shape):
        given = " ".join(map(str, shape))
        hint = f"Give three whole numbers from {SMALLEST_SIDE} to {LARGEST_SIDE}, such as 128 128 24."
        problems.append(Problem(f"'{given}' is not a shape of a volume that a head fits in", "shape", hint))
    if problems:
        raise KnobError(problems)
    x, y, z = map(int, shape)
    return x, y, z
