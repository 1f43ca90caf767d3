from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2023 import brats2023_layout
from common.phantoms.layouts.brats2024 import BRATS2024_LAYOUT


def load(folder: Path, name: str) -> np.ndarray:
    (path,) = folder.rglob(name)
    return np.asarray(nib.load(path).dataobj)


def test_two_of_three_patients_lost_a_part_of_the_core(tmp_path: Path) -> None:
    size = {"patients": 3, "shape": (32, 32, 24)}
    before = make_brats_phantoms(tmp_path / "before", **size, layout=brats2023_layout())
    after = make_brats_phantoms(tmp_path / "after", **size, layout=BRATS2024_LAYOUT)
    for index in range(3):
        old, new = (
            load(folder, f"BraTS-GLI-{index:05d}-{timepoint}-seg.nii.gz")
            for folder, timepoint in ((before, "000"), (after, "100"))
        )
        cavity = new == 4
        assert cavity.any() == (index != 2)
        assert np.isin(old[cavity], (1, 3)).all()
        np.testing.assert_array_equal(old[~cavity], new[~cavity])
        if index != 2:
            assert np.isin(new, (1, 3)).any()
            flair, t2 = (load(after, f"BraTS-GLI-{index:05d}-100-{name}.nii.gz") for name in ("t2f", "t2w"))
            assert np.ptp(flair[cavity]) == 0
            assert flair[cavity].max() < np.median(flair[flair > 0])
            assert t2[cavity].min() > np.median(t2[t2 > 0])
