from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError
from common.formats.images import read_image
from common.formats.series import list_slices

Writer = Callable[..., Path]


def test_dicom_slices_in_order_with_gaps_counted(tmp_path: Path, write_series: Writer) -> None:
    series = list_slices(write_series(tmp_path / "a", [5, 0, 1, 2]))
    assert [series.read(index)[3, 3] for index in range(4)] == [0, 1, 2, 5]
    assert (series.is_dicom, series.plane, series.missing) == (True, "axial", 2)


def test_exported_images_by_the_numbers_in_their_names(tmp_path: Path, write_image: Writer) -> None:
    for number in (10, 9, 1, 100):
        write_image(tmp_path / f"Image-{number}.png")
    series = list_slices(tmp_path)
    assert [Path(file).stem for file in series.files] == ["Image-1", "Image-9", "Image-10", "Image-100"]
    assert (series.is_dicom, series.plane) == (False, None)
    pixels = series.read(2)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, read_image(tmp_path / "Image-10.png"))


def test_both_or_neither_is_refused(tmp_path: Path, write_series: Writer, write_image: Writer) -> None:
    folder = write_series(tmp_path / "a")
    write_image(folder / "Image-1.png")
    with pytest.raises(DatasetError, match="DICOM files and images"):
        list_slices(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no DICOM image; it is empty"):
        list_slices(tmp_path / "empty")


def test_a_broken_slice_is_told_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"x")
    Image.new("L", (40, 40)).save(tmp_path / "2.png")
    series = list_slices(tmp_path)
    with pytest.raises(DatasetError, match="is no image"):
        series.read(0)
