from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from common.shortcuts.traits import ADVICE, find_traits

RAS = np.diag([1.0, 1.0, 1.0, 1.0])


def save(path: Path, shape: tuple[int, int, int] = (4, 4, 4), affine: np.ndarray = RAS, dtype: Any = np.int16) -> str:
    nib.Nifti1Image(np.zeros(shape, dtype), affine).to_filename(path)
    return str(path)


def save_scaled(path: Path) -> str:
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), RAS)
    image.header.set_slope_inter(0.5, 0)
    image.to_filename(path)
    return str(path)


def test_what_is_equal_in_all_patients_is_no_trait(tmp_path: Path) -> None:
    records = [{"subject": name, "source": "x", "t1": save(tmp_path / f"{name}.nii.gz")} for name in "AB"]
    assert find_traits(records, "grade") == {}


def test_each_difference_between_headers_is_its_own_trait(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.nii.gz")
    different = {
        "the shape": save(tmp_path / "shape.nii.gz", (4, 4, 5)),
        "the voxel spacing": save(tmp_path / "spacing.nii.gz", affine=np.diag([1.0, 1.0, 2.0, 1.0])),
        "the orientation": save(tmp_path / "lps.nii.gz", affine=np.diag([-1.0, -1.0, 1.0, 1.0])),
        "the number type on disk": save(tmp_path / "float.nii.gz", dtype=np.float32),
        "the scale factor": save_scaled(tmp_path / "scaled.nii.gz"),
        "the file extension": save(tmp_path / "plain.nii"),
    }
    for trait, path in different.items():
        records = [{"subject": "A", "t1": plain}, {"subject": "B", "t1": path}]
        assert list(find_traits(records, "grade")) == [trait]
        assert trait in ADVICE


def test_a_difference_in_the_last_modality_is_seen(tmp_path: Path) -> None:
    one, other = save(tmp_path / "a.nii.gz"), save(tmp_path / "b.nii.gz", dtype=np.float32)
    records = [{"subject": "A", "t1": one, "t2": one}, {"subject": "B", "t1": one, "t2": other}]
    assert list(find_traits(records, "grade")) == ["the number type on disk"]


def test_traits_of_the_record_itself_need_no_file() -> None:
    full = {"subject": "Brats18_TCIA02_135_1", "source": "brats2018", "age": 60.0, "survival_days": 9.0, "seg": "s"}
    bare = {"subject": "Brats18_CBICA_AAB_1", "source": "ixi", "age": float("nan"), "t1": "a.nii", "resection": "GTR"}
    traits = find_traits([full, bare], "grade", headers=False)
    assert traits["the site in the patient's id"].iloc[:, 0].tolist() == ["TCIA02", "CBICA"]
    assert traits["whether age is recorded"].iloc[:, 0].tolist() == ["True", "False"]
    assert set(traits) == {
        "whether age is recorded",
        "whether survival is recorded",
        "whether the extent of resection is recorded",
        "which modalities are there",
        "whether there is a mask",
        "the data set",
        "the site in the patient's id",
        "the file extension",
    }
    assert set(traits) <= set(ADVICE)


def test_ixi_writes_its_hospitals_into_its_ids() -> None:
    records = [{"subject": name, "source": "IXI"} for name in ("IXI012-HH-1211", "IXI002-Guys-0828")]
    assert find_traits(records, "grade")["the site in the patient's id"].iloc[:, 0].tolist() == ["HH", "GUYS"]


def test_a_brain_mask_beside_some_images_is_a_trait() -> None:
    records = [{"subject": "A", "brain_mask": "mask.nii.gz"}, {"subject": "B"}]
    assert list(find_traits(records, "grade")) == ["how the brain was found"]


def test_whether_the_label_itself_is_recorded_is_no_trait() -> None:
    records = [{"subject": "A", "survival_days": 3.0}, {"subject": "B"}]
    assert find_traits(records, "survival_days", headers=False) == {}


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    records = [{"subject": "A", "t1": save(tmp_path / "a.nii")}, {"subject": "B", "t1": save(tmp_path / "b.nii")}]
    assert find_traits(records, "grade") == {}
    (tmp_path / "b.nii").unlink()
    save(tmp_path / "b.nii", (4, 4, 6))
    assert list(find_traits(records, "grade")) == ["the shape"]


def test_of_series_the_planes_are_traits_and_no_header_is_asked_for(tmp_path: Path) -> None:
    """A folder of DICOM files, or a picture, has no header that a volume's reader knows."""
    records = [
        {"subject": plane, "source": "rsna_miccai", "flair": str(tmp_path), "planes": {"flair": plane}}
        for plane in ("axial", "sagittal")
    ]
    (name,) = find_traits(records, "mgmt")
    assert name == "the plane of the slices"
    assert find_traits([{"subject": number, "image": f"{number}.jpg"} for number in "12"], "label") == {}


def test_the_size_of_pictures_is_a_trait() -> None:
    records = [{"subject": str(side), "source": "a", "original_size": [side, 200]} for side in (150, 1200)]
    traits = find_traits(records, "label")
    assert traits["the size of the picture"]["x"].tolist() == [150, 1200]
    assert "the size of the picture" not in find_traits(records[:1], "label")
