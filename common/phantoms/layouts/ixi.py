"""Phantom volunteers in IXI's layout: heads like those of the phantom patients, before any tumour.

From the ``other`` scanner, they have the orientation (PSR), voxels and number type of IXI, as T1 without contrast
agent, darker in the fluid and noisier: many traits besides the tumour separate them from BraTS. From the ``same``
scanner, they have the grid, the number type, the contrast (of T1ce) and the skull-stripping of the BraTS phantoms, so
that the scanner does not predict who is healthy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray
from tqdm import tqdm

from common.errors import KnobError, Problem
from common.files import write_text
from common.formats.nifti import brats_affine
from common.phantoms.anatomy.head import add_head
from common.phantoms.layouts.brats2020 import (
    FULL_SHAPE,
    LARGEST_SIDE,
    SMALLEST_SIDE,
    check_settings,
    save_nifti,
    write_nifti,
)
from common.phantoms.scans import phantom_subject
from common.phantoms.writing.folder import refuse_filled

SCANNERS = ("other", "same")
VOXEL_MM = (1.2, 0.9375, 0.9375)
"""IXI's, along the patient's left, back and top."""

ORIENTATION = "PSR"
HOSPITALS = ("HH", "Guys", "IOP")
FIRST_NUMBER = 2
FIRST_INDEX = 100_000
"""Of the heads: none of them is a phantom patient of the same seed."""

GAMMA = 1.25
GAIN = 2.5
EXTRA_NOISE = 0.06
"""How the other scanner changes the brightness (exponent and factor), and its noise as a share of the brain's mean."""

_README = """These are phantoms, not people: images made by a program from a seed.
They serve to try and to test software; no result on them says anything about people.

Made with: seed {seed}, {people} people, shape {shape}, {scanner} scanner as the BraTS phantoms, {skull}.
The rule is the docstring of common/phantoms/layouts/ixi.py:

{rule}
"""


def make_ixi_phantoms(
    root: str | Path,
    people: int = 24,
    shape: Sequence[int] = FULL_SHAPE,
    seed: int = 0,
    *,
    scanner: str = "other",
    stripped: bool = False,
    progress: bool = False,
) -> Path:
    """Write healthy phantoms that look like IXI's T1 volumes as downloaded.

    A volunteer depends on the arguments and the index alone: a larger cohort begins with the smaller one.

    Args:
        root: an empty or new folder.
        people: how many, at least 1.
        shape: of the BraTS phantoms that they belong to; the field of view in mm is the same. The other scanner has
            fewer or more voxels in it.
        seed: not negative; no head is one of the phantom patients of the same seed.
        scanner: ``other`` than that of the BraTS phantoms, or the ``same``.
        stripped: leave the skull out; from the same scanner it always is. Otherwise a brain mask lies beside each
            volume.
        progress: show a bar.

    Returns:
        ``root``, which holds ``IXI002-HH-0800-T1.nii.gz`` and so on.

    Raises:
        KnobError: a setting has no meaning; all of them at once.
        OutputError: ``root`` is a file or is not empty, or cannot be written to.
    """
    size = check_settings(people, shape, seed)
    if scanner not in SCANNERS:
        raise KnobError(Problem(f"{scanner!r} is not a scanner", "scanner", f"Choose {' or '.join(SCANNERS)}."))
    root = Path(root)
    refuse_filled(root)
    for index in tqdm(range(people), desc="phantoms", unit="head", disable=not progress):
        if scanner == "same":
            subject = phantom_subject(seed, FIRST_INDEX + index, size, healthy=True)
            write_nifti(root / f"{scan_name(index)}-T1.nii.gz", subject.modalities["t1ce"])
        else:
            _scan_elsewhere(root, index, size, seed, stripped)
    skull = "without the skull" if stripped or scanner == "same" else "with the skull"
    values = {"seed": seed, "people": people, "shape": " x ".join(map(str, size)), "skull": skull}
    write_text(root / "README.txt", _README.format(**values, scanner=f"the {scanner}", rule=__doc__))
    return root


def scan_name(index: int) -> str:
    """As IXI names its scans: a person's number, one of three hospitals, and a number of the scan."""
    number = FIRST_NUMBER + index
    return f"IXI{number:03d}-{HOSPITALS[index % len(HOSPITALS)]}-{798 + number:04d}"


def _scan_elsewhere(root: Path, index: int, size: tuple[int, int, int], seed: int, stripped: bool) -> None:
    shape = _other_shape(size)
    subject = phantom_subject(seed, FIRST_INDEX + index, shape, healthy=True)
    brain = subject.modalities["t1"]
    rng = np.random.default_rng([seed, FIRST_INDEX + index])
    head = brain.astype(np.float32) if stripped else add_head(brain, subject.spacing, rng)
    # The field of view is that of the BraTS phantoms, in whose headers a voxel measures 1 mm.
    spacing = [extent / n for extent, n in zip(size, shape, strict=True)]
    name = scan_name(index)
    _write(root / f"{name}-T1.nii.gz", _change_brightness(head, brain, rng), spacing)
    if not stripped:
        _write(root / f"{name}-T1_mask.nii.gz", (brain > 0).astype(np.uint8), spacing)


def _other_shape(size: tuple[int, int, int]) -> tuple[int, int, int]:
    sides = (round(side / step) for side, step in zip(size, VOXEL_MM, strict=True))
    x, y, z = (int(np.clip(side, SMALLEST_SIDE, LARGEST_SIDE)) for side in sides)
    return x, y, z


def _change_brightness(head: NDArray, brain: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Brightness as another scanner gives it; what is exactly 0 stays 0."""
    mean = float(brain[brain > 0].mean())
    bent = GAIN * mean * (head / mean) ** GAMMA
    noise = np.float32(EXTRA_NOISE * GAIN * mean) * rng.standard_normal((2, *head.shape), dtype=np.float32)
    noisy = np.hypot(bent + noise[0], noise[1])
    return np.where(brain > 0, noisy, bent).astype(np.float32)


def _write(path: Path, volume: NDArray, spacing: Sequence[float]) -> None:
    """Bytes along IXI's axes, with a scale factor where the volume is no mask."""
    affine = brats_affine(volume.shape[1]) @ np.diag([*spacing, 1.0])
    scale = float(volume.max()) / np.iinfo(np.uint8).max if volume.dtype.kind == "f" else 1.0
    image = nib.Nifti1Image(np.rint(volume / scale).astype(np.uint8), affine)
    turned = image.as_reoriented(ornt_transform(io_orientation(affine), axcodes2ornt(tuple(ORIENTATION))))
    turned.header.set_slope_inter(scale, 0)
    save_nifti(path, turned)
