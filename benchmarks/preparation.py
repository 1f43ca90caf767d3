"""The cold preparation of a 240x240x155 case, against nibabel's bare reading of its five files.

Ours reads and checks the four images and the mask, crops them to the brain, normalises them and writes the result into
an empty cache: all of the brain for the segmentation, three whole slices for grade and survival. Bare is
`numpy.asanyarray(image.dataobj)` with nibabel for each of the five `.nii.gz` files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.timing import Ratio, alternate
from common.cohorts import read_cohort
from common.records import MODALITIES
from common.transforms import prepare_brains, prepare_slices

NAME = "cold preparation"
LIMIT = 1.5
PREPARATIONS: dict[str, Callable[..., object]] = {"whole brain": prepare_brains, "three slices": prepare_slices}


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds per case, by what of it is cached.

    Args:
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    record = read_cohort(cohort)[0]

    def read() -> None:
        for key in (*MODALITIES, "seg"):
            np.asanyarray(nib.Nifti1Image.from_filename(record[key]).dataobj)

    def against_reading(kind: str) -> Ratio:
        def prepare() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as cache:
                PREPARATIONS[kind]([record], cache)

        return Ratio(f"{NAME}, {kind}", *alternate(prepare, read, repeats, advance), LIMIT)

    return [against_reading(kind) for kind in PREPARATIONS]
