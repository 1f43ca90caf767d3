"""BraTS 2024: the resection cavity is refused, background, or a class of its own."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.cohorts import mask_classes, read_cohort
from common.errors import DatasetError, KnobError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2024 import BRATS2024_LAYOUT
from common.records import MODALITIES
from common.transforms import prepare_brains, prepare_masks, prepare_slices
from common.transforms.preparation import prepare_case

SHAPE = (32, 32, 24)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients, of whom the first two have a cavity."""
    return make_brats_phantoms(tmp_path_factory.mktemp("data") / "x", 3, SHAPE, layout=BRATS2024_LAYOUT)


def stored(record: Any) -> np.ndarray:
    return np.asarray(nib.load(record["seg"]).dataobj)


def test_masks_with_a_cavity_are_refused_unless_a_choice_is_made(root: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"masks of BraTS 2024 GLI have.*resection cavity.*--cavity background.*--cavity region"
    ) as error:
        read_cohort(root)
    assert len(error.value.problems) == 1
    with pytest.raises(KnobError, match=r"'keep' is no choice.*refuse, background, region"):
        read_cohort(root, cavity="keep")


def test_images_are_read_without_refused_masks(root: Path) -> None:
    records = read_cohort(root, need_seg=False)
    assert [record["scan"] for record in records] == [f"BraTS-GLI-0000{index}-100" for index in range(3)]
    assert [record["subject"] for record in records] == [f"BraTS-GLI-0000{index}" for index in range(3)]
    assert {record["source"] for record in records} == {"brats2024"}
    assert not any("seg" in record for record in records)
    assert prepare_slices(records, modalities=["flair"], gap=6)[0]["tumour_ml"] is None


def test_a_cavity_is_background_or_a_class(root: Path) -> None:
    one, other = read_cohort(root, cavity="background")[0], read_cohort(root, cavity="region")[0]
    background, region = prepare_case(one).classes, prepare_case(other).classes
    assert background is not None
    assert region is not None
    voxels = np.count_nonzero(stored(one) == 4)
    assert np.count_nonzero(region == 4) == voxels > 0
    assert np.count_nonzero(background) == np.count_nonzero(stored(one)) - voxels
    np.testing.assert_array_equal(np.where(region == 4, 0, region), background)


def test_the_choices_are_kept_apart_in_the_cache_and_give_one_volume_of_tumour(root: Path, tmp_path: Path) -> None:
    cases = [prepare_brains(read_cohort(root, cavity=cavity)[:1], tmp_path)[0] for cavity in ("background", "region")]
    assert cases[0]["cached_mask"] != cases[1]["cached_mask"]
    assert np.load(cases[0]["cached_mask"]).max() == 3
    assert np.load(cases[1]["cached_mask"]).max() == 4
    expected = np.count_nonzero(np.isin(stored(cases[0]), (1, 2, 3))) / 1000
    others = [prepare_slices(read_cohort(root, cavity="region")[:1], tmp_path, ["flair"], gap=6)[0]]
    others += prepare_masks(read_cohort(root, cavity="background")[:1], tmp_path)
    assert [case["tumour_ml"] for case in (*cases, *others)] == pytest.approx([expected] * 4)


def test_a_list_has_the_same_choices(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["subject", *MODALITIES, "seg", "mask_values"])
        writer.writeheader()
        for record in read_cohort(root, cavity="region"):
            row = {key: record[key] for key in ("subject", *MODALITIES, "seg")}
            writer.writerow({**row, "mask_values": "1 2 3 4"})
    with pytest.raises(DatasetError, match="resection cavity"):
        read_cohort(datalist=table)
    assert [record["mask_values"] for record in read_cohort(datalist=table, cavity="region")] == [[1, 2, 3, 4]] * 3
    for record in read_cohort(datalist=table, cavity="background"):
        assert (record["mask_values"], record["background_values"]) == ([1, 2, 3], [4])


def test_data_without_a_cavity_are_the_same_whatever_was_chosen(
    phantom_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = read_cohort(phantom_dir)
    for cavity in ("background", "region"):
        assert "its Dice says nothing" not in caplog.text
        assert read_cohort(phantom_dir, cavity=cavity) == expected
    assert "its Dice says nothing" in caplog.text


def test_the_classes_of_a_choice() -> None:
    assert mask_classes("refuse") == mask_classes("background") == ("NCR", "ED", "ET")
    assert mask_classes("region") == ("NCR", "ED", "ET", "RC")
    assert mask_classes("background", "paper") == ("NCR", "ED", "ET")
    with pytest.raises(KnobError, match="paper's recipe has no class of the resection cavity"):
        mask_classes("region", "paper")
