from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.audit.readers.reading import Source, read_split
from common.errors import DatasetError

FOLDS = [{"train": ["B_001", "B_002"], "val": ["B_0010"]}, {"train": ["B_0010", "B_002"], "val": ["B_001"]}]


def write_folds(folder: Path, folds: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "splits_final.json").write_text(json.dumps(folds))
    return folder / "splits_final.json"


@pytest.fixture
def raw(tmp_path, write_volume):
    """``nnUNet_raw`` with three cases of two channels."""
    images = tmp_path / "nnUNet_raw" / "Dataset007_B" / "imagesTr"
    for case in ("B_001", "B_002", "B_0010"):
        for channel in (0, 1):
            write_volume(images / f"{case}_{channel:04d}.nii.gz")
    return images


def test_folds_and_the_channels_of_each_case(raw, tmp_path):
    path = write_folds(tmp_path / "nnUNet_preprocessed" / "Dataset007_B", FOLDS)
    for source in (Source(path), Source(path.parent), Source(path, images=raw), Source(path, images=raw.parent)):
        split = read_split(source)
        assert [division.name for division in split.divisions] == ["fold 0", "fold 1"]
        assert split.divisions[0].sides == {"train": ("B_001", "B_002"), "validation": ("B_0010",)}
        names = [Path(file).name for file in split.cases["B_001"].files]
        assert names == ["B_001_0000.nii.gz", "B_001_0001.nii.gz"]  # and not those of B_0010
    assert split.remarks == ("validated in no fold: B_002",)


def test_folds_under_keys_and_with_a_test_side(tmp_path):
    folds = {"0": {"test": [7], "train": [1, 2]}, "1": {"train": [1], "valid": [2], "test": [7]}}
    first, second = read_split(Source(write_folds(tmp_path, folds), ids_only=True)).divisions
    assert list(first.sides.items()) == [("train", ("1", "2")), ("test", ("7",))]
    assert list(second.sides) == ["train", "validation", "test"]


def test_the_folder_that_the_environment_names(raw, tmp_path, monkeypatch):
    path = write_folds(tmp_path / "far" / "elsewhere" / "Dataset007_B", FOLDS)
    with pytest.raises(DatasetError, match="--images"):
        read_split(Source(path))
    monkeypatch.setenv("nnUNet_raw", str(raw.parents[1]))
    assert len(read_split(Source(path)).cases["B_002"].files) == 2


def test_test_images_are_one_more_division(raw, tmp_path, write_volume):
    write_volume(raw.parent / "imagesTs" / "B_001_0000.nii.gz")
    split = read_split(Source(write_folds(raw.parent, FOLDS)))
    assert split.divisions[2].sides == {"train": ("B_001", "B_002", "B_0010"), "test": ("imagesTs/B_001",)}


def test_images_that_dataset_json_lists(raw, tmp_path, write_volume):
    elsewhere = write_volume(tmp_path / "far" / "one.nii.gz")
    listed = {"dataset": {"B_001": {"images": [str(elsewhere)], "label": "x.nii.gz"}}, "file_ending": ".nii.gz"}
    (raw.parent / "dataset.json").write_text(json.dumps(listed))
    split = read_split(Source(write_folds(raw.parent, FOLDS)))
    assert split.cases["B_001"].files == (str(elsewhere),)
    assert len(split.cases["B_002"].files) == 2


def test_ids_alone_need_no_images(tmp_path):
    split = read_split(Source(write_folds(tmp_path, FOLDS), ids_only=True))
    assert {case.files for case in split.cases.values()} == {()}


def test_ids_without_an_image_are_summed_up(raw):
    folds = [{"train": ["B_001", *(f"X{number}" for number in range(5))], "val": ["B_002"]}]
    with pytest.raises(DatasetError) as error:
        read_split(Source(write_folds(raw.parent, folds)))
    told = error.value.summary()
    assert "X2: no image is found" in told
    assert "X3" not in told
    assert "2 more" in told


def test_what_is_validated_twice_or_listed_twice(tmp_path):
    folds = [{"train": ["a", "a"], "val": ["b"]}, {"train": ["a"], "val": ["b"]}]
    remarks = read_split(Source(write_folds(tmp_path, folds), ids_only=True)).remarks
    assert "fold 0 lists on its side train more than once: a" in remarks
    assert "validated in several folds: b" in remarks
    assert "validated in no fold: a" in remarks


@pytest.mark.parametrize("fold", [{"train": ["a"]}, {"train": "a", "val": []}, {"train": [None], "val": []}])
def test_a_malformed_fold_is_named(tmp_path, fold):
    with pytest.raises(DatasetError, match="fold 1"):
        read_split(Source(write_folds(tmp_path, [{"train": ["a"], "val": ["b"]}, fold]), ids_only=True))
