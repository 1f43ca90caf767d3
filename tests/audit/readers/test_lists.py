from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.audit.readers.reading import Source, read_split
from common.audit.split import Split
from common.errors import DatasetError


def read(folder: Path, content: Any, **options: Any) -> Split:
    (folder / "list.json").write_text(json.dumps(content))
    return read_split(Source(folder / "list.json", **options))


def test_decathlon(tmp_path, write_volume):
    for name in ("imagesTr/B_001", "imagesTr/B_002", "imagesTs/B_003"):
        write_volume(tmp_path / f"{name}.nii.gz")
    content = {
        "name": "BRATS",
        "modality": {"0": "FLAIR"},
        "training": [{"image": f"./imagesTr/B_00{k}.nii.gz", "label": f"./labelsTr/B_00{k}.nii.gz"} for k in (1, 2)],
        "test": ["./imagesTs/B_003.nii.gz"],
    }
    split = read(tmp_path, content)
    (division,) = split.divisions
    assert division.sides == {
        "train": ("imagesTr/B_001.nii.gz", "imagesTr/B_002.nii.gz"),
        "test": ("imagesTs/B_003.nii.gz",),
    }
    assert split.cases["imagesTr/B_001.nii.gz"].files == (
        str(tmp_path / "imagesTr/B_001.nii.gz"),
    )  # the mask is no image


def test_folds_of_auto3dseg_and_a_test_side(tmp_path):
    training = [{"image": f"{name}.nii.gz", "fold": fold} for name, fold in (("a", 0), ("b", 1), ("c", 1))]
    training.append({"image": "d.nii.gz"})
    split = read(tmp_path, {"training": training, "testing": [{"image": "e.nii.gz"}]}, ids_only=True)
    letters = {
        division.name: {side: "".join(name[0] for name in names) for side, names in division.sides.items()}
        for division in split.divisions
    }
    assert letters == {
        "fold 0": {"train": "dbc", "validation": "a"},
        "fold 1": {"train": "da", "validation": "bc"},
        "all folds": {"train": "abcd", "test": "e"},
    }


@pytest.mark.parametrize("fold", [float("nan"), float("inf"), 0.5, "1", True])
def test_what_is_no_fold(tmp_path, fold):
    with pytest.raises(DatasetError, match=r"training, entry 2: its fold is no whole number"):
        read(tmp_path, {"training": [{"image": "a.png", "fold": 0.0}, {"image": "b.png", "fold": fold}]}, ids_only=True)


def test_channels_and_the_patient_of_an_entry(tmp_path, write_volume):
    for name in ("a0.nii.gz", "a1.nii.gz", "b.nii.gz"):
        write_volume(tmp_path / name)
    content = {"training": [{"image": ["a0.nii.gz", "a1.nii.gz"], "patient_id": "p7"}], "validation": ["b.nii.gz"]}
    case, _ = read(tmp_path, content).cases.values()
    assert (case.name, case.patient, len(case.files)) == ("a0.nii.gz", "p7", 2)


def test_our_own_split_with_and_without_images(tmp_path, write_patient):
    content = {"hash": "0", "unit": "subject", "train": ["BraTS20_Training_001"], "validation": [], "test": ["p2"]}
    with pytest.raises(DatasetError, match="--images"):
        read(tmp_path, content)
    assert set(read(tmp_path, content, ids_only=True).cases) == {"BraTS20_Training_001", "p2"}
    for name in ("BraTS20_Training_001", "p2"):
        write_patient(tmp_path / "data" / "HGG" / name)
    found = read(tmp_path, content, images=tmp_path / "data").cases["BraTS20_Training_001"].files
    assert sorted(Path(file).stem for file in found) == [
        f"BraTS20_Training_001_{name}.nii" for name in ("flair", "t1", "t1ce", "t2")
    ]


def test_slices_belong_to_their_subject(tmp_path):
    split = read(tmp_path, {"train": ["a#1", "a#2"], "validation": [], "test": ["a#3"]}, ids_only=True)
    assert {case.patient for case in split.cases.values()} == {"a"}


def test_one_name_with_two_endings_is_two_cases(tmp_path, write_image):
    for name in ("a.png", "a.jpg"):
        write_image(tmp_path / name)
    assert set(read(tmp_path, {"train": ["a.png"], "test": ["./a.jpg"]}).cases) == {"a.png", "a.jpg"}


def test_numbers_are_ids(tmp_path):
    assert set(read(tmp_path, {"train": [3, 4], "test": [5]}, ids_only=True).cases) == {"3", "4", "5"}


def test_missing_files_are_summed_up(tmp_path):
    content = {"training": [{"image": f"{number}.nii.gz"} for number in range(9)], "test": ["x.png"]}
    with pytest.raises(DatasetError) as error:
        read(tmp_path, content)
    told = error.value.summary()
    assert "2.nii.gz" in told
    assert "3.nii.gz" not in told
    assert "7 more" in told


def test_formats_that_are_not_read_are_told(tmp_path):
    (tmp_path / "a.mha").write_bytes(b"x")
    with pytest.raises(DatasetError, match="Convert"):
        read(tmp_path, {"training": ["a.mha"], "test": ["a.mha"]})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"numTraining": 3, "file_ending": ".nii.gz"}, "splits_final.json"),
        ({"a": [], "b": 1}, "names no side"),
        ({"train": ["a"], "test": ["b"], "validation": "c"}, "no list under validation"),
        ({"train": [{"image": {"a": 1}}, {"image": None}], "test": ["b"]}, "(?s)entry 1: .*entry 2: names no id"),
        ({"train": [None]}, "entry 1"),
        ({"train": [{"age": 3}]}, "no id, no patient"),
        ("text", "holds no sides"),
    ],
)
def test_what_is_no_list_of_sides(tmp_path, content, told):
    with pytest.raises(DatasetError, match=told):
        read(tmp_path, content, ids_only=True)


def test_no_json(tmp_path):
    (tmp_path / "list.json").write_text("{")
    with pytest.raises(DatasetError, match="not JSON"):
        read_split(Source(tmp_path / "list.json"))
