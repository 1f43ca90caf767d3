from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from common.cohorts import check_voxels, read_cohort
from common.cohorts.datasets.registry import find_data_set
from common.errors import DatasetError, KnobError
from common.formats import volumes
from common.formats.nifti import Volume, read_nifti
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.decathlon import DECATHLON
from common.records import MODALITIES
from common.transforms.preparation import prepare_case

SIZE = {"patients": 2, "shape": (32, 32, 24), "seed": 3}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_brats_phantoms(tmp_path / "decathlon", **SIZE, layout=DECATHLON)


def change(root: Path, **values: object) -> None:
    table = root / "dataset.json"
    table.write_text(json.dumps({**json.loads(table.read_text()), **values}))


def test_the_same_patients_as_in_brats_give_the_same_cases(root: Path, tmp_path: Path) -> None:
    brats = read_cohort(make_brats_phantoms(tmp_path / "brats", **SIZE))
    records = read_cohort(root)
    assert [record["subject"] for record in records] == ["BRATS_001", "BRATS_002"]
    assert {record["source"] for record in records} == {"decathlon"}
    for record, other in zip(records, brats, strict=True):
        case, expected = prepare_case(record), prepare_case(other)
        np.testing.assert_array_equal(case.image, expected.image)
        np.testing.assert_array_equal(case.classes, expected.classes)


def test_a_file_of_four_channels_is_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def count(path: str) -> Volume:
        read.append(Path(path).parent.name)
        return read_nifti(path)

    monkeypatch.setattr(volumes, "read_nifti", count)
    record = read_cohort(root)[0]
    prepare_case(record)
    assert read == ["imagesTr", "labelsTr"]
    assert check_voxels(record) == []
    assert read == ["imagesTr", "labelsTr"] * 2


def test_a_subject_that_is_listed_twice(root: Path) -> None:
    listed = json.loads((root / "dataset.json").read_text())["training"]
    again = {"image": listed[0]["image"], "label": listed[1]["label"]}
    change(root, training=[*listed, again])
    with pytest.raises(DatasetError, match="BRATS_001 is listed more than once") as caught:
        read_cohort(root)
    assert len(caught.value.problems) == 1
    assert [record["subject"] for record in read_cohort(root, exclude="BRATS_001")] == ["BRATS_002"]


def test_channels_and_labels_come_from_dataset_json(root: Path) -> None:
    change(root, modality={"0": "T2w", "1": "T1w", "2": "t1gd", "3": "FLAIR"})
    change(root, labels={"0": "background", "3": "edema", "2": "enhancing tumour", "1": "non-enhancing tumor"})
    (record, _) = read_cohort(root, modalities=["flair", "t2"])
    assert [record[name][-3:] for name in ("flair", "t2")] == ["[3]", "[0]"]
    assert "t1" not in record
    assert record["mask_values"] == [1, 3, 2]


def test_what_the_table_lacks_is_told(root: Path) -> None:
    with pytest.raises(KnobError, match="Did you mean BRATS_002"):
        read_cohort(root, exclude="BRATS_003")
    (root / "labelsTr" / "BRATS_001.nii.gz").unlink()
    (root / "imagesTr" / "BRATS_002.nii.gz").unlink()
    with pytest.raises(DatasetError) as error:
        read_cohort(root)
    assert len(error.value.problems) == 2
    change(root, modality={"0": "FLAIR"})
    with pytest.raises(DatasetError, match="names no channel t1, t1ce, t2"):
        read_cohort(root)
    change(root, labels={"0": "background", "1": "edema"}, modality=dict(enumerate(MODALITIES)))
    with pytest.raises(DatasetError, match="its labels are background, edema"):
        read_cohort(root)


def test_files_that_were_unpacked_or_renamed_in_case_are_found(root: Path) -> None:
    expected = [prepare_case(record).image for record in read_cohort(root)]
    for path in sorted(root.rglob("BRATS_*.nii.gz")):
        if path.stem.startswith("BRATS_001"):
            path.with_name(path.name.removesuffix(".gz")).write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
        else:
            path.rename(path.with_name(path.name.lower()))
    records = read_cohort(root)
    assert [record["subject"] for record in records] == ["BRATS_001", "BRATS_002"]
    for record, image in zip(records, expected, strict=True):
        np.testing.assert_array_equal(prepare_case(record).image, image)


def test_images_without_masks_are_read_where_none_is_needed(root: Path) -> None:
    images = root / "imagesTr"
    (root / "imagesTs").mkdir()
    (images / "BRATS_002.nii.gz").rename(root / "imagesTs" / "BRATS_002.nii.gz")
    training = [{"image": "./imagesTr/BRATS_001.nii.gz", "label": "./labelsTr/BRATS_001.nii.gz"}]
    change(root, training=training, test=["./imagesTs/BRATS_002.nii.gz"])
    assert [record["subject"] for record in read_cohort(root)] == ["BRATS_001"]
    assert ["seg" in record for record in read_cohort(root, need_seg=False)] == [True, False]


def test_a_damaged_file_is_told_once(root: Path) -> None:
    path = root / "imagesTr" / "BRATS_001.nii.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DatasetError, match="truncated") as error:
        read_cohort(root)
    assert len(error.value.problems) == 1


def test_another_task_is_named(root: Path) -> None:
    for path in [*root.rglob("BRATS_*")]:
        path.rename(path.with_name(path.name.replace("BRATS_", "liver_")))
    found = find_data_set(root)
    assert found is not None
    assert found.name == "decathlon_other"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"modality": {"x": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}}, "'x' is no number"),  # dataset_json 34
        ({"modality": {"²": "FLAIR"}}, "'²' is no number"),  # dataset_json 52
        ({"labels": {"~": "edema"}}, "'~' is no number"),  # dataset_json 58
        ({"labels": {"9" * 5000: "edema"}}, "is no number"),
        ({"training": [{"label": "./labelsTr/BRATS_001.nii.gz"}]}, "entry 1 of training names no image"),  # 165
        ({"training": [{"image": 5}]}, "entry 1 of training names no image"),
        ({"training": "BRATS_001"}, "its training is no list"),
    ],
)
def test_odd_values_in_the_table(root: Path, values: dict[str, object], what: str) -> None:
    # make fuzz, seed 0
    change(root, **values)
    with pytest.raises(DatasetError, match=what):
        read_cohort(root)
