from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.cohorts import is_stripped, read_ixi
from common.cohorts.datasets.brats import read_brats
from common.cohorts.phantom_mark import is_phantom
from common.errors import KnobError, OutputError
from common.formats.nifti import read_nifti
from common.phantoms.layouts.ixi import make_ixi_phantoms, scan_name
from common.phantoms.scans import phantom_subject

SHAPE = (64, 64, 24)
"""Of the phantom patients in ``phantom_dir``."""

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_phantoms.py"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ixi_phantoms(tmp_path_factory.mktemp("other"), 3, SHAPE)


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ixi_phantoms(tmp_path_factory.mktemp("same"), 3, SHAPE, scanner="same")


def test_names_are_those_of_ixi(other: Path) -> None:
    assert [record["subject"] for record in read_ixi(other)] == [scan_name(index) for index in range(3)]
    assert scan_name(1) == "IXI003-Guys-0801"
    assert all(map(is_phantom, read_ixi(other)))


class TestOtherScanner:
    def test_it_stores_volumes_as_ixi_does(self, other: Path, phantom_dir: Path) -> None:
        for record in read_ixi(other):
            image = nib.load(record["t1"])
            assert "".join(nib.aff2axcodes(image.affine)) == "PSR"
            assert image.get_data_dtype() == np.uint8
            assert image.dataobj.slope > 1
            assert image.dataobj.inter == 0
            # 64 x 64 x 24 mm in voxels of about 0.9375, 0.9375 and 1.2 mm, stored as y, z, x.
            assert image.shape == (68, 26, 53)
            np.testing.assert_allclose(np.multiply(image.header.get_zooms(), image.shape), [64, 24, 64], rtol=1e-5)

    def test_the_mask_beside_it_is_the_brain(self, other: Path) -> None:
        for record in read_ixi(other):
            head, mask = read_nifti(record["t1"]), read_nifti(record["brain_mask"])
            np.testing.assert_array_equal(head.affine, mask.affine)
            assert set(np.unique(mask.array)) == {0, 1}
            assert not is_stripped(head.array, head.affine)
            assert is_stripped(mask.array, mask.affine)
            share = mask.array.mean()
            assert 0.1 < share < 0.3

    def test_it_turns_the_head_of_the_generator(self, other: Path) -> None:
        (record, *_) = read_ixi(other)
        image = nib.load(record["brain_mask"])
        turned = nib.orientations.apply_orientation(np.asarray(image.dataobj), _to_lps(image.affine))
        brain = phantom_subject(0, 100_000, (53, 68, 26), healthy=True).modalities["t1"] > 0
        np.testing.assert_array_equal(turned, brain)

    def test_without_the_skull(self, other: Path, tmp_path: Path) -> None:
        make_ixi_phantoms(tmp_path / "x", 1, SHAPE, stripped=True)
        (record,) = read_ixi(tmp_path / "x")
        assert "brain_mask" not in record
        volume = read_nifti(record["t1"])
        mask = read_nifti(read_ixi(other)[0]["brain_mask"]).array
        np.testing.assert_array_equal(volume.array[mask == 0], 0)
        assert is_stripped(volume.array, volume.affine)


class TestSameScanner:
    def test_it_stores_volumes_as_the_patients_are(self, same: Path, phantom_dir: Path) -> None:
        patient = nib.load(read_brats(phantom_dir)[0]["t1ce"])
        for record in read_ixi(same):
            assert "brain_mask" not in record
            image = nib.load(record["t1"])
            assert image.shape == patient.shape
            np.testing.assert_array_equal(image.affine, patient.affine)
            assert image.get_data_dtype() == patient.get_data_dtype()
            assert is_stripped(np.asarray(image.dataobj), image.affine)

    def test_brains_are_as_bright_and_as_large(self, same: Path, phantom_dir: Path) -> None:
        healthy = [read_nifti(record["t1"]).array for record in read_ixi(same)]
        patients = [read_nifti(record["t1ce"]).array for record in read_brats(phantom_dir)]
        for statistic in (np.count_nonzero, lambda array: np.log(np.median(array[array > 0]))):
            low, high = (pick([statistic(array) for array in patients]) for pick in (np.min, np.max))
            margin = (high - low) / 2
            assert all(low - margin < statistic(array) < high + margin for array in healthy)

    def test_no_head_is_a_patients(self, same: Path) -> None:
        heads = {record["t1"]: read_nifti(record["t1"]).array > 0 for record in read_ixi(same)}
        for index in range(8):
            patient = phantom_subject(0, index, SHAPE, healthy=True).modalities["t1ce"] > 0
            assert not any(np.array_equal(patient, head) for head in heads.values())


@pytest.mark.parametrize("scanner", ["other", "same"])
def test_a_larger_cohort_begins_with_the_smaller_one_byte_for_byte(
    scanner: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    larger = request.getfixturevalue(scanner)
    smaller = make_ixi_phantoms(tmp_path, 1, SHAPE, scanner=scanner)
    files = [path.name for path in smaller.glob("*.nii.gz")]
    assert len(files) == (2 if scanner == "other" else 1)
    assert [_hash(smaller / name) for name in files] == [_hash(larger / name) for name in files]


def test_bad_settings_are_told_and_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        make_ixi_phantoms(tmp_path / "a", people=0, shape=(1, 2), seed=-1)
    assert len(error.value.problems) == 3
    with pytest.raises(KnobError, match="'mine' is not a scanner"):
        make_ixi_phantoms(tmp_path / "a", scanner="mine")
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match="is not empty"):
        make_ixi_phantoms(tmp_path)


def test_the_script_writes_both(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_phantoms", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    words = ["--patients", "1", "--shape", "24", "24", "16"]
    assert script.main(["ixi", str(tmp_path / "other"), *words]) == 0
    assert script.main(["ixi", str(tmp_path / "same"), *words, "--scanner", "same"]) == 0
    assert len(list((tmp_path / "other").glob("*.nii.gz"))) == 2
    assert nib.load(next((tmp_path / "same").glob("*.nii.gz"))).shape == (24, 24, 16)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _to_lps(affine: np.ndarray) -> np.ndarray:
    start = nib.orientations.io_orientation(affine)
    return nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(("L", "P", "S")))
