from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.errors import DatasetError
from common.formats import volumes
from common.formats.volumes import read_volume, read_volume_header, read_volumes, volume_files, volume_stamp

SHAPE = (4, 3, 2)


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Four channels, each full of its own number."""
    array = np.broadcast_to(np.arange(4, dtype=np.int16), (*SHAPE, 4))
    path = tmp_path / "four.nii.gz"
    nib.save(nib.Nifti1Image(array, np.eye(4)), path)
    return path


@pytest.fixture
def single(tmp_path: Path) -> Path:
    path = tmp_path / "seg.nii"
    nib.save(nib.Nifti1Image(np.full(SHAPE, 9, np.uint8), np.eye(4)), path)
    return path


def test_a_file_of_several_channels_is_read_once(four: Path, single: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = volumes.read_nifti
    monkeypatch.setattr(volumes, "read_nifti", lambda path: read.append(str(path)) or whole(path))
    found, problems = read_volumes({"t2": f"{four}[3]", "seg": single, "flair": f"{four}[0]"})
    assert problems == []
    assert {key: (volume.array.shape, set(volume.array.flat)) for key, volume in found.items()} == {
        "t2": (SHAPE, {3}),
        "seg": (SHAPE, {9}),
        "flair": (SHAPE, {0}),
    }
    assert read.count(str(four)) == 1


def test_what_is_sound_is_read_though_others_are_not_and_each_problem_is_told_once(four: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(four.read_bytes()[:-9])
    paths = {"a": f"{torn}[0]", "b": f"{torn}[1]", "c": f"{four}[1]", "d": f"{four}[4]"}
    found, problems = read_volumes(paths)
    assert list(found) == ["c"]
    assert [str(torn) in str(problem) for problem in problems] == [True, False]
    assert "more than 4 channels" in str(problems[1])


def test_header_and_voxels_of_a_channel_have_one_shape(four: Path, single: Path) -> None:
    for path in (f"{four}[2]", str(single)):
        assert read_volume_header(path).shape == read_volume(path).array.shape == SHAPE


def test_the_stamp_shows_that_any_file_of_a_series_was_changed(tmp_path: Path) -> None:
    series = tmp_path / "series"
    (series / "below").mkdir(parents=True)
    for name, content in (("b.dcm", b"12"), ("a.dcm", b"123")):
        (series / name).write_bytes(content)
        os.utime(series / name, ns=(10, 10))
    assert volume_files(series) == [str(series / "a.dcm"), str(series / "b.dcm")]
    before = volume_stamp(series)
    assert before[0] == str(series)
    assert volume_stamp(series / "a.dcm") == [str(series / "a.dcm"), 3, 10]
    os.utime(series / "a.dcm", ns=(10, 9))  # as `cp -p` leaves an older file of the same size
    changed = volume_stamp(series)
    assert changed != before
    for name in ("a.dcm", "b.dcm"):
        (series / name).rename(series / f"{name}.old")
    (series / "a.dcm.old").rename(series / "b.dcm")
    (series / "b.dcm.old").rename(series / "a.dcm")
    assert volume_stamp(series) not in (before, changed)


def test_the_stamp_of_a_channel_is_that_of_its_file(four: Path) -> None:
    assert volume_files(f"{four}[2]") == [str(four)]
    assert volume_stamp(f"{four}[2]")[1:] == volume_stamp(four)[1:]
    assert volume_stamp(f"{four}[2]")[0] != volume_stamp(f"{four}[1]")[0]


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.nii"):
        volume_stamp(tmp_path / "gone.nii")
