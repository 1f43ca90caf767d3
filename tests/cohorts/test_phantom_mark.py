from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest

from common.cohorts.phantom_mark import is_phantom
from common.phantoms.writing.dicom_writer import write_slice


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "series"
    for number in range(2):
        pixels = np.full((4, 4), number, np.int16)
        write_slice(folder / f"{number}.dcm", pixels, (0, 0, number), (1, 1), "p/flair", number=number)
    return folder


def named_otherwise(series: Path, folder: Path, ending: str) -> Path:
    folder.mkdir()
    for file in series.iterdir():
        copyfile(file, folder / f"I{file.stem}{ending}")
    return folder


@pytest.mark.parametrize("ending", [".dcm", ".IMA", ""])
@pytest.mark.parametrize("key", ["image", "flair"])
def test_files_of_a_series_under_any_name(tmp_path, series, ending, key):
    folder = named_otherwise(series, tmp_path / "series", ending)
    assert is_phantom({key: str(folder)})
    assert is_phantom({key: str(next(folder.iterdir()))})


@pytest.mark.parametrize("ending", [".dcm", ".IMA", ""])
def test_files_beside_a_series(tmp_path, series, ending):
    folder = named_otherwise(series, tmp_path / "series", ending)
    (folder / "AAA.txt").write_text("Terms of use.")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(64))
    assert is_phantom({"t1": str(folder)})


@pytest.mark.parametrize("name", ["0.dcm", "I0.IMA", "I0"])
def test_a_series_that_is_not_marked(tmp_path, name):
    write_slice(tmp_path / "0.dcm", np.ones((4, 4), np.int16), (0, 0, 0), (1, 1), "s", tags={"0008|103e": "FLAIR"})
    (tmp_path / "0.dcm").rename(tmp_path / name)
    (tmp_path / "A.txt").write_text("Terms of use.")
    assert not is_phantom({"t1": str(tmp_path)})


@pytest.mark.parametrize("files", [[], ["LICENSE.txt"]])
def test_a_folder_without_an_image(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("Terms of use.")
    assert not is_phantom({"image": str(tmp_path)})
