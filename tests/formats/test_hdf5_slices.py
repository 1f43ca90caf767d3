"""Slices of another form than Kaggle's, and damaged ones; each fault was found by ``make fuzz``, seed 0."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from common.errors import DatasetError
from common.formats.hdf5_slices import read_hdf5, read_hdf5_header

IMAGE = np.arange(6 * 5 * 4).reshape(6, 5, 4)
"""Whose corner is 0 in FLAIR, so that it counts as never standardised."""

MASK = np.zeros((6, 5, 3), np.uint8)


def save(folder: Path, image: Any = IMAGE, mask: Any = MASK, description: Any = "") -> str:
    """Two slices; returns what their address begins with."""
    for index in range(2):
        with h5py.File(folder / f"volume_1_slice_{index}.h5", "w") as file:
            for name, data in (("image", image), ("mask", mask)):
                if isinstance(data, np.ndarray):
                    file.create_dataset(name, data=data)
                else:
                    data(file, name)
            file.attrs["description"] = description
    return f"{folder}/volume_1_slice_[0-1].h5"


def refused(address: str, read: Callable[[str], Any] = read_hdf5) -> str:
    with pytest.raises(DatasetError) as error:
        read(address)
    return str(error.value)


def test_a_structure_that_is_damaged(tmp_path: Path) -> None:
    # hdf5 4, 76, 92: h5py raises RuntimeError where a name is asked for
    address = save(tmp_path)
    path = tmp_path / "volume_1_slice_1.h5"
    path.write_bytes(path.read_bytes().replace(b"TREE", b"TREF"))
    assert "damaged" in refused(f"{address}:t1") and "damaged" in refused(f"{address}:t1", read_hdf5_header)


def test_links_that_lead_to_each_other(tmp_path: Path) -> None:
    # hdf5 40, 90
    address = save(tmp_path, lambda file, name: file.__setitem__(name, h5py.SoftLink(f"/{name}")))
    assert "volume_1_slice_0.h5" in refused(f"{address}:t1")


@pytest.mark.parametrize("values", [IMAGE.astype("S4"), IMAGE.astype(complex), np.zeros((6, 5, 4), "V3")])
def test_values_that_are_no_numbers(tmp_path: Path, values: np.ndarray) -> None:
    # hdf5 41, 45, 61, 125, 128
    address = save(tmp_path, values)
    assert "instead of numbers" in refused(f"{address}:t1")
    assert "instead of numbers" in refused(f"{address}:t1", read_hdf5_header)


@pytest.mark.parametrize("kind", [np.float16, np.uint8, np.int64, ">f4"])
def test_every_kind_of_number_comes_back(tmp_path: Path, kind: Any) -> None:
    # hdf5 26, 158: nibabel's headers know no float16 and no bool
    address = save(tmp_path, IMAGE.astype(kind), MASK.astype(bool))
    assert np.array_equal(read_hdf5(f"{address}:flair").array[..., 0], IMAGE[..., 0])
    assert not read_hdf5(f"{address}:seg").array.any()


def test_intensities_below_the_corner_do_not_wrap_around(tmp_path: Path) -> None:
    image = np.full((6, 5, 4), 7, np.uint8)
    image[2, 2], image[2, 3] = 4, 8
    assert read_hdf5(f"{save(tmp_path, image)}:t1").array[2, 2, 0] == -3


def test_intensities_beyond_int32_stay_as_they_are(tmp_path: Path) -> None:
    array = read_hdf5(f"{save(tmp_path, IMAGE.astype(np.int64) * 2**40)}:flair").array
    assert array.dtype == np.float32 and array[-1, -1, 0] == np.float32(IMAGE[-1, -1, 0] * 2.0**40)


@pytest.mark.parametrize("odd", [-1, 0.5, 2, np.nan, np.inf])
def test_a_class_that_is_neither_there_nor_not_is_a_label_that_no_mask_has(tmp_path: Path, odd: float) -> None:
    # hdf5 95; a negative one was taken for background
    mask = MASK.astype(np.float64)
    mask[1, 1, 0], mask[2, 2, 1] = odd, 1
    array = read_hdf5(f"{save(tmp_path, mask=mask)}:seg").array
    assert array[1, 1, 0] == 255 and array[2, 2, 0] == 2 and np.count_nonzero(array) == 4


def test_a_side_that_no_slice_has(tmp_path: Path) -> None:
    # hdf5 71: nibabel's header cannot hold it
    address = save(tmp_path, np.zeros((40_000, 2, 4), np.uint8))
    assert "at most 8192 pixels a side" in refused(f"{address}:t1", read_hdf5_header)


@pytest.mark.parametrize("description", ["é" * 60, b"\xff\xfe", np.arange(3)])
def test_a_description_in_any_language(tmp_path: Path, description: Any) -> None:
    # hdf5 35, 48
    assert read_hdf5_header(f"{save(tmp_path, description=description)}:t1").shape == (6, 5, 2)
