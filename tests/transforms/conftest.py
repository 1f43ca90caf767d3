from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.records import MODALITIES

Writer = Callable[..., dict[str, Any]]

SHAPE = (20, 24, 12)
LPS = np.array([[-1, 0, 0, 19], [0, -1, 0, 23], [0, 0, 1, 5], [0, 0, 0, 1]], dtype=float)


@pytest.fixture
def write_record(tmp_path: Path) -> Writer:
    """Writes a patient whose brain fills x 4..15, y 3..20 and z 2..9 of a volume in LPS, and returns the record.

    ``orientation`` stores the same volume along other axes. ``replace`` gives other arrays (LPS) by key.
    """

    def write(
        subject: str = "p1",
        seed: int = 0,
        orientation: str = "LPS",
        affine: np.ndarray = LPS,
        replace: dict[str, np.ndarray] | None = None,
    ) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        brain = (slice(4, 16), slice(3, 21), slice(2, 10))
        volumes = {}
        for name in MODALITIES:
            volumes[name] = np.zeros(SHAPE, np.int16)
            volumes[name][brain] = rng.integers(50, 900, volumes[name][brain].shape)
        volumes["seg"] = np.zeros(SHAPE, np.uint8)
        volumes["seg"][6:12, 8:15, 4:8] = rng.choice([0, 1, 2, 4], (6, 7, 4)).astype(np.uint8)
        volumes |= replace or {}
        record: dict[str, Any] = {"subject": subject, "source": "test", "mask_values": [1, 2, 4]}
        for name, volume in volumes.items():
            path = tmp_path / subject / f"{subject}_{name}.nii.gz"
            path.parent.mkdir(exist_ok=True)
            image = nib.Nifti1Image(volume, affine)
            wanted = nib.orientations.axcodes2ornt(tuple(orientation))
            turn = nib.orientations.ornt_transform(nib.io_orientation(affine), wanted)
            image = image.as_reoriented(turn)
            image.set_qform(image.affine, 1)
            image.set_sform(image.affine, 2)
            nib.save(image, path)
            record[name] = str(path)
        return record

    return write
