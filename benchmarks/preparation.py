"""The cold preparation of a 240x240x155 case, against nibabel's bare reading of its five files.

Ours reads and checks the four images and the mask, crops them to the brain, normalises them and writes the result into
an empty cache. Bare is `numpy.asanyarray(image.dataobj)` with nibabel for each of the five `.nii.gz` files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.timing import Ratio, alternate
from common.cohorts import read_cohort
from common.cohorts.records import MODALITIES
from common.transforms import prepare_cases

NAME = "cold preparation"
LIMIT = 1.5


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> Ratio:
    """Seconds a case."""
    record = read_cohort(cohort)[0]

    def prepare() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            prepare_cases([record], cache)

    def read() -> None:
        for key in (*MODALITIES, "seg"):
            np.asanyarray(nib.Nifti1Image.from_filename(record[key]).dataobj)

    return Ratio(NAME, *alternate(prepare, read, repeats, advance), LIMIT)
