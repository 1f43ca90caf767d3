from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, EnsureChannelFirstd, ScaleIntensityRanged

from common.errors import DatasetError, SplitError
from common.formats.dicom import read_series
from common.phantoms.writing.dicom_writer import write_slice
from common.transforms.series.cache import prepare_series
from common.transforms.series.inference import LoadImageSeriesd, TakeSeriesd
from common.transforms.series.items import LoadSeriesSliced, series_items, series_slices_per_subject
from common.transforms.shared_items import Item

SETTINGS: dict[str, Any] = {"slices_per_subject": 4, "size": (10, 6), "central_share": 0.8}


@pytest.fixture
def record(tmp_path: Path) -> Any:
    """Nine slices of FLAIR and three of T2, all pixels drawn."""
    random = np.random.default_rng(0)
    folders = {}
    for name, depth in (("flair", 9), ("t2", 3)):
        for height in range(depth):
            pixels = random.integers(0, 900, (8, 12)).astype(np.int16)
            write_slice(tmp_path / name / f"{height}.dcm", pixels, (0, 0, height), (1, 1), name, number=height)
        folders[name] = str(tmp_path / name)
    return {"subject": "p1", "source": "test", "mgmt": 1, "label": 1, **folders}


@pytest.fixture
def case(record: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    (case,) = prepare_series([record], tmp_path / "cache", ["flair", "t2"], **SETTINGS)
    return case


def test_an_item_a_slice(case: dict[str, Any]) -> None:
    items = series_items([case, {**case, "subject": "p2", "label": 0}])
    assert [(item["subject"], item["slice"], item["label"]) for item in items] == [
        *(("p1", index, 1) for index in range(4)),
        *(("p2", index, 0) for index in range(4)),
    ]
    assert series_slices_per_subject([case]) == {"p1": 4}
    stored = np.load(case["cached"])
    for item in items[:4]:
        loaded = LoadSeriesSliced()(item)
        assert loaded["image"].dtype == torch.float32
        np.testing.assert_array_equal(loaded["image"].numpy(), stored[item["slice"]])


def test_of_few_slices_none_is_an_item_twice(record: dict[str, Any], tmp_path: Path) -> None:
    """Copies would be on both sides of a split over slices, and count twice in a patient's mean."""
    (case,) = prepare_series([record], tmp_path / "cache", ["t2"], slices_per_subject=8, size=(10, 6))
    assert case["positions"] == {"t2": [0, 1, 2]}
    assert series_slices_per_subject([case]) == {"p1": 3}
    assert len(series_items([case])) == len(np.load(case["cached"])) == 3


def test_a_split_over_slices_names_its_own_alone(case: dict[str, Any]) -> None:
    assert [item["slice"] for item in series_items([{**case, "slices": [1, 3]}])] == [1, 3]
    with pytest.raises(SplitError, match="p1: the split names slice 4 of 4"):
        series_items([{**case, "slices": [4]}])


def test_a_batch_is_made_of_the_cache_alone(case: dict[str, Any]) -> None:
    for name in ("flair", "t2"):
        for file in Path(case[name]).iterdir():
            file.unlink()
    (batch,) = DataLoader(Dataset(series_items([case]), LoadSeriesSliced()), batch_size=4)
    assert batch["image"].shape == (4, 2, 10, 6)
    assert batch["label"].tolist() == [1] * 4


def test_a_bag_from_files_is_bit_for_bit_what_training_sees(record: Item, case: dict[str, Any]) -> None:
    scale: Any = ScaleIntensityRanged("image", 0.0, 1.0, -1.0, 1.0)
    expected = torch.stack([scale(LoadSeriesSliced()(item))["image"] for item in series_items([case])])
    bag = TakeSeriesd(["flair", "t2"], transform=scale, **SETTINGS)(record)["image"]
    assert torch.equal(bag.as_tensor(), expected)


def test_modalities_as_samples_of_their_own(case: dict[str, Any]) -> None:
    """Four slices of FLAIR; T2 has three, one of which stands beside two of FLAIR and counts once."""
    positions = case["positions"]["t2"]
    t2 = [positions.index(position) for position in (0, 1, 2)]
    items = series_items([case], per_modality=True)
    assert [(item["slice"], item["plane"], item["modality"]) for item in items] == [
        *((index, index, 0) for index in range(4)),
        *((4 + number, place, 1) for number, place in enumerate(t2)),
    ]
    assert series_slices_per_subject([case], per_modality=True) == {"p1": 7}
    stored = np.load(case["cached"]).astype(np.float32)
    loaded = [LoadSeriesSliced()(item)["image"] for item in items]
    assert all(image.shape == (1, 10, 6) for image in loaded)
    np.testing.assert_array_equal(loaded[2][0], stored[2, 0])
    np.testing.assert_array_equal(loaded[5][0], stored[t2[1], 1])
    chosen = series_items([{**case, "slices": [3, 6]}], per_modality=True)
    assert [(item["slice"], item["modality"]) for item in chosen] == [(3, 0), (6, 1)]
    with pytest.raises(SplitError, match="p1: the split names slice 7 of 7"):
        series_items([{**case, "slices": [7]}], per_modality=True)


def test_a_modality_that_is_absent_gives_no_sample(record: Item, tmp_path: Path) -> None:
    (case,) = prepare_series([record], tmp_path / "cache", ["t1", "flair"], **SETTINGS)
    assert {item["modality"] for item in series_items([case], per_modality=True)} == {1}


def test_a_bag_of_single_modalities_is_what_training_sees(record: Item, case: dict[str, Any]) -> None:
    items = series_items([case], per_modality=True)
    bag = TakeSeriesd(["flair", "t2"], per_modality=True, **SETTINGS)(record)
    assert torch.equal(bag["image"].as_tensor(), torch.stack([LoadSeriesSliced()(item)["image"] for item in items]))
    assert bag["modality"].tolist() == [item["modality"] for item in items]


@pytest.mark.parametrize("flipped", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_nifti_file_of_a_series_gives_the_same_slices(plane: str, flipped: tuple[int, ...], tmp_path: Path) -> None:
    """However a converter turned its axes, as long as the last one leads through the slices."""
    axes = {"axial": [1, 0, 0, 0, 1, 0], "coronal": [1, 0, 0, 0, 0, -1], "sagittal": [0, 1, 0, 0, 0, -1]}[plane]
    normal = np.cross(axes[:3], axes[3:])
    random = np.random.default_rng(0)
    for number in range(9):
        pixels = random.integers(0, 900, (8, 12)).astype(np.int16)
        place = tuple(normal * number)
        write_slice(tmp_path / "s" / f"{number}.dcm", pixels, place, (1, 1), "s", orientation=axes, number=number)
    series = read_series(tmp_path / "s")
    image = nib.Nifti1Image(series.array, series.affine)
    nib.save(image.as_reoriented(np.array(list(enumerate(flipped)))), tmp_path / "s.nii.gz")
    takes = Compose([LoadImageSeriesd(["flair"]), EnsureChannelFirstd("image", allow_missing_keys=True)])
    taken = [
        TakeSeriesd(["flair"], **SETTINGS)(takes({"image": str(source)}))["image"]
        for source in (tmp_path / "s.nii.gz", tmp_path / "s", tmp_path / "s" / "3.dcm")
    ]
    expected = TakeSeriesd(["flair"], **SETTINGS)({"subject": "s", "flair": str(tmp_path / "s")})["image"]
    assert all(torch.equal(bag.as_tensor(), expected.as_tensor()) for bag in taken)


def test_one_series_is_not_enough_for_several_modalities(record: Item) -> None:
    with pytest.raises(DatasetError, match="reads flair, t2"):
        LoadImageSeriesd(["flair", "t2"])({"image": record["flair"]})
    with pytest.raises(DatasetError, match="1 channels"):
        TakeSeriesd(["flair", "t2"])({"image": MetaTensor(torch.rand(1, 8, 8, 8))})


def test_what_is_wrong_with_a_patient_is_told_at_once(record: Item, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    item = {**record, "flair": str(tmp_path / "empty"), "t2": str(tmp_path / "none")}
    with pytest.raises(DatasetError) as error:
        TakeSeriesd(["flair", "t2"])(item)
    assert len(error.value.problems) == 2
