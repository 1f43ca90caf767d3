"""Fixtures that write small files of the formats that cohorts come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from zlib import crc32

import nibabel as nib
import numpy as np
import pytest

Writer = Callable[..., Path]


@pytest.fixture
def write_volume() -> Writer:
    def write(path: Path, array: np.ndarray | None = None, affine: np.ndarray | None = None) -> Path:
        if array is None:
            array = np.random.default_rng(crc32(path.name.encode())).integers(1, 900, (6, 5, 4)).astype(np.int16)
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
        return path

    return write


@pytest.fixture
def write_patient(write_volume: Writer) -> Writer:
    """Writes a tiny patient as BraTS names its files; ``arrays`` replaces some of the volumes."""

    def write(
        folder: Path,
        keys: Iterable[str] = ("flair", "t1", "t1ce", "t2", "seg"),
        suffix: str = ".nii.gz",
        arrays: dict[str, np.ndarray] | None = None,
    ) -> Path:
        labels = np.resize(np.array([0, 1, 2, 4], np.uint8), (6, 5, 4))
        for key in keys:
            array = (arrays or {}).get(key, labels if key == "seg" else None)
            write_volume(folder / f"{folder.name}_{key}{suffix}", array)
        return folder

    return write


@pytest.fixture
def write_image() -> Writer:
    """Writes a picture of smooth noise, its own for each name."""

    def write(path: Path, size: tuple[int, int] = (48, 40)) -> Path:
        from PIL import Image

        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(crc32(str(path.name).encode())).integers(0, 255, (6, 6)).astype(np.uint8)
        Image.fromarray(coarse).resize(size).convert("RGB").save(path)
        return path

    return write


@pytest.fixture
def write_series() -> Writer:
    """Writes axial slices, the value of every pixel its height in mm; ``heights`` in the order of the file names."""

    def write(
        folder: Path, heights: Iterable[float] = range(5), size: tuple[int, int] = (7, 6), **about: object
    ) -> Path:
        from common.phantoms.writing.dicom_writer import write_slice

        about.setdefault("series", folder.name)
        for number, height in enumerate(heights, 1 + sum(1 for _ in folder.glob("*.dcm"))):
            pixels = np.full(size[::-1], round(height), np.int16)
            pixels[0, 0] = 100 + round(height)
            place = {"position": (10.0, -20.0, float(height)), "spacing": (0.5, 0.75), "thickness": 1.0}
            write_slice(folder / f"Image-{number}.dcm", pixels, **{**place, "number": number, **about})
        return folder

    return write
