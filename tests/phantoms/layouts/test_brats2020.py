"""Phantom cohorts: the stated rule holds, the images look as they should, the layout is BraTS 2020's."""

from __future__ import annotations

import importlib.util
import math
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import distance_transform_edt

from common.cohorts.datasets.brats import read_brats
from common.cohorts.phantom_mark import is_phantom
from common.errors import KnobError, OutputError
from common.phantoms.anatomy.brain import grow_brain
from common.phantoms.anatomy.outline import voxel_spacing
from common.phantoms.anatomy.seat import choose_seat
from common.phantoms.generative_rule import PhantomPatient, draw_patient, random_stream
from common.phantoms.layouts.brats2020 import make_brats_phantoms, name_mapping, survival_info
from common.phantoms.scans import PhantomSubject, phantom_subject
from common.records import MODALITIES

TINY = (48, 48, 24)
MEDIUM = (96, 96, 62)


@pytest.fixture(scope="module")
def patients() -> list[PhantomPatient]:
    return [draw_patient(seed=7, index=index) for index in range(4000)]


@pytest.fixture(scope="module")
def subjects() -> list[PhantomSubject]:
    return [phantom_subject(3, index, MEDIUM) for index in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_brats_phantoms(tmp_path_factory.mktemp("cohort"), patients=4, shape=TINY, seed=1)


class TestRule:
    def test_grade_is_enhancement_plus_necrosis_above_one_half(self, patients: list[PhantomPatient]) -> None:
        for patient in patients:
            assert (patient.grade == "HGG") == (patient.enhancement + patient.necrosis > 0.5)

    def test_grades_keep_a_margin(self, patients: list[PhantomPatient]) -> None:
        assert max(p.enhancement + p.necrosis for p in patients if p.grade == "LGG") <= 0.06 + 0.15
        assert min(p.enhancement + p.necrosis for p in patients if p.grade == "HGG") >= 0.35 + 0.6

    @pytest.mark.parametrize(("count", "share", "expected"), [(10, 0.3, 3), (24, 0.25, 6), (8, 0.0, 0), (8, 1.0, 8)])
    def test_lgg_are_dealt_evenly(self, count: int, share: float, expected: int) -> None:
        for seed in range(5):
            grades = [draw_patient(seed, index, share).grade for index in range(count)]
            assert grades.count("LGG") == expected

    def test_survival_follows_the_stated_coefficients(self, patients: list[PhantomPatient]) -> None:
        seen = [patient for patient in patients if not patient.alive]
        predictors = [
            (1, (p.age - 61) / 10, math.log(p.volume_ml / 80), float(p.true_resection == "GTR")) for p in seen
        ]
        target = np.log([patient.survival_days for patient in seen])
        fitted, residual, *_ = np.linalg.lstsq(np.array(predictors), target, rcond=None)
        np.testing.assert_allclose(fitted, [math.log(400), -0.35, -0.5, 0.35], atol=0.05)
        assert math.sqrt(residual[0] / len(seen)) == pytest.approx(0.5, abs=0.03)

    def test_clinical_values_do_not_tell_the_grade(self, patients: list[PhantomPatient]) -> None:
        hgg = [patient for patient in patients if patient.grade == "HGG"]
        lgg = [patient for patient in patients if patient.grade == "LGG"]
        for value in (
            lambda p: p.age / 12,
            lambda p: math.log(p.survival_days),
            lambda p: p.true_resection == "GTR",
            lambda p: p.resection is None,
            lambda p: math.log(p.volume_ml),
        ):
            assert np.mean([value(p) for p in hgg]) == pytest.approx(np.mean([value(p) for p in lgg]), abs=0.12)

    def test_a_blind_grade_is_dealt_as_evenly_and_without_a_look_at_the_tumour(self) -> None:
        blind = [draw_patient(7, index, blind_grade=True) for index in range(2000)]
        is_lgg = np.array([patient.recorded_grade == "LGG" for patient in blind])
        looks_lgg = np.array([patient.grade == "LGG" for patient in blind])
        assert is_lgg.reshape(-1, 10).sum(axis=1).tolist() == [3] * 200
        assert np.mean(looks_lgg[is_lgg]) == pytest.approx(np.mean(looks_lgg[~is_lgg]), abs=0.05)
        for value in (lambda p: math.log(p.volume_ml), lambda p: p.age / 12, lambda p: math.log(p.survival_days)):
            values = np.array([value(patient) for patient in blind])
            assert values[is_lgg].mean() == pytest.approx(values[~is_lgg].mean(), abs=0.12)

    def test_a_blind_cohort_has_the_patients_of_a_seeing_one(self) -> None:
        for index in range(20):
            seeing, blind = draw_patient(7, index), draw_patient(7, index, blind_grade=True)
            assert seeing.recorded_grade == seeing.grade
            assert replace(blind, recorded_grade=seeing.recorded_grade) == seeing

    def test_some_are_censored_and_some_resections_are_unknown(self, patients: list[PhantomPatient]) -> None:
        assert np.mean([patient.alive for patient in patients]) == pytest.approx(0.08, abs=0.02)
        assert np.mean([patient.resection is None for patient in patients]) == pytest.approx(0.35, abs=0.04)
        assert all(patient.resection in (None, patient.true_resection) for patient in patients)


class TestImages:
    def test_same_seed_and_index_give_the_same_voxels(self) -> None:
        first, second = phantom_subject(5, 2, TINY), phantom_subject(5, 2, TINY)
        for name in MODALITIES:
            assert first.modalities[name].tobytes() == second.modalities[name].tobytes()
        assert first.mask.tobytes() == second.mask.tobytes()

    @pytest.mark.parametrize("other", [(5, 3), (6, 2)])
    def test_another_seed_or_index_gives_another_patient(self, other: tuple[int, int]) -> None:
        first, second = phantom_subject(5, 2, TINY), phantom_subject(*other, TINY)
        assert not np.array_equal(first.modalities["t1"] > 0, second.modalities["t1"] > 0)
        assert not np.array_equal(first.mask, second.mask)

    def test_types_shapes_and_labels(self, subjects: list[PhantomSubject]) -> None:
        for subject in subjects:
            assert tuple(subject.modalities) == MODALITIES
            assert {(scan.shape, scan.dtype.name) for scan in subject.modalities.values()} == {(MEDIUM, "int16")}
            assert subject.mask.dtype == np.uint8
            assert set(np.unique(subject.mask)) <= {0, 1, 2, 4}

    def test_all_modalities_show_one_brain_of_human_size_that_holds_the_tumour(
        self, subjects: list[PhantomSubject]
    ) -> None:
        for subject in subjects:
            brain = subject.modalities["flair"] > 0
            assert all(np.array_equal(scan > 0, brain) for scan in subject.modalities.values())
            assert brain[subject.mask > 0].all()
            assert 1.0 < brain.sum() * math.prod(subject.spacing) / 1e6 < 2.0  # litres

    def test_compartments_have_the_volumes_that_were_drawn(self, subjects: list[PhantomSubject]) -> None:
        for subject in subjects:
            necrosis, oedema, enhancing = (int((subject.mask == label).sum()) for label in (1, 2, 4))
            core = necrosis + enhancing
            voxel_ml = math.prod(subject.spacing) / 1000
            assert (core + oedema) * voxel_ml == pytest.approx(subject.patient.volume_ml, abs=3 * voxel_ml)
            assert core / (core + oedema) == pytest.approx(subject.patient.core_share, abs=0.01)
            assert enhancing / core == pytest.approx(subject.patient.enhancement, abs=0.01)

    def test_necrosis_lies_in_the_rim_and_the_rim_in_the_oedema(self, subjects: list[PhantomSubject]) -> None:
        for subject in (subject for subject in subjects if subject.patient.grade == "HGG"):
            depth = distance_transform_edt(subject.mask > 0, sampling=subject.spacing)
            necrosis, oedema, enhancing = (depth[subject.mask == label].mean() for label in (1, 2, 4))
            assert necrosis > enhancing > oedema

    def test_tissue_contrast_of_each_modality(self) -> None:
        medians = _median_by_tissue(seed=3, index=0)
        assert medians["t1"]["white"] > medians["t1"]["grey"] > medians["t1"]["fluid"]
        assert medians["t1ce"]["white"] > medians["t1ce"]["grey"] > medians["t1ce"]["fluid"]
        assert medians["t2"]["fluid"] > medians["t2"]["grey"] > medians["t2"]["white"]
        assert medians["flair"]["grey"] > medians["flair"]["white"] > medians["flair"]["fluid"]

    def test_tumour_contrast_of_each_modality(self, subjects: list[PhantomSubject]) -> None:
        for subject in (subject for subject in subjects if subject.patient.grade == "HGG"):
            scans, mask = subject.modalities, subject.mask
            healthy = {name: np.median(scan[(scan > 0) & (mask == 0)]) for name, scan in scans.items()}
            shown = {name: [np.median(scan[mask == label]) for label in (1, 2, 4)] for name, scan in scans.items()}
            assert shown["flair"][1] > 1.3 * healthy["flair"]
            assert shown["t2"][1] > 1.1 * healthy["t2"]
            assert shown["t1"][1] < np.quantile(scans["t1"][(scans["t1"] > 0) & (mask == 0)], 0.8)  # white matter
            assert shown["t1ce"][2] > 1.2 * healthy["t1ce"]
            assert shown["t1ce"][0] < 0.8 * healthy["t1ce"]

    def test_a_core_without_enhancement_has_no_bright_rim(self) -> None:
        index = next(i for i in range(50) if draw_patient(0, i).enhancement == 0)
        subject = phantom_subject(0, index, MEDIUM)
        t1ce = subject.modalities["t1ce"]
        healthy = np.median(t1ce[(t1ce > 0) & (subject.mask == 0)])
        assert np.quantile(t1ce[subject.mask == 1], 0.98) < 1.1 * healthy

    def test_tiny_volumes_keep_brain_and_tumour(self) -> None:
        tiny = [phantom_subject(2, index, TINY) for index in range(10)]
        assert all(0.05 < (subject.modalities["t1"] > 0).mean() < 0.4 for subject in tiny)
        assert sum({1, 2, 4} <= set(np.unique(subject.mask)) for subject in tiny) >= 7


class TestCohort:
    def test_layout_is_that_of_the_download(self, folder: Path) -> None:
        assert folder.name == "MICCAI_BraTS2020_TrainingData"
        names = [f"BraTS20_Training_{number:03d}" for number in range(1, 5)]
        files = {f"{name}/{name}_{scan}.nii.gz" for name in names for scan in (*MODALITIES, "seg")}
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert found == files | {"name_mapping.csv", "survival_info.csv", "README.txt"}

    def test_files_hold_the_subject_and_say_that_it_is_a_phantom(self, folder: Path) -> None:
        subject = phantom_subject(1, 2, TINY)
        for scan in (*MODALITIES, "seg"):
            image = nib.Nifti1Image.from_filename(
                folder / "BraTS20_Training_003" / f"BraTS20_Training_003_{scan}.nii.gz"
            )
            expected = subject.mask if scan == "seg" else subject.modalities[scan]
            np.testing.assert_array_equal(np.asarray(image.dataobj), expected)
            assert image.get_data_dtype() == np.int16
            assert image.header["descrip"].item() == b"phantom, not a patient"
        assert all(is_phantom(record) for record in read_brats(folder))
        assert "not patients" in (folder / "README.txt").read_text()

    def test_geometry_is_that_of_brats(self, tmp_path: Path) -> None:
        folder = make_brats_phantoms(tmp_path, patients=1, shape=(32, 240, 16))
        for path in folder.rglob("*.nii.gz"):
            image = nib.Nifti1Image.from_filename(path)
            np.testing.assert_array_equal(image.affine, [[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])
            assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
            assert image.header.get_xyzt_units()[0] == "mm"
        assert voxel_spacing((240, 240, 155)) == (1.0, 1.0, 1.0)

    def test_the_reader_takes_it_for_brats_2020(self, folder: Path) -> None:
        records = read_brats(folder.parent)
        expected = [draw_patient(1, index) for index in range(4)]
        assert [record["grade"] for record in records] == [patient.grade for patient in expected]
        for record, patient in zip(records, expected, strict=True):
            is_recorded = patient.grade == "HGG"
            assert record["age"] == (patient.age if is_recorded else None)
            assert record["survival_days"] == (patient.survival_days if is_recorded else None)

    def test_tables_are_those_of_the_challenge(self, folder: Path) -> None:
        grades = pd.read_csv(folder / "name_mapping.csv")
        assert list(grades.columns) == [
            "Grade",
            "BraTS_2017_subject_ID",
            "BraTS_2018_subject_ID",
            "TCGA_TCIA_subject_ID",
            "BraTS_2019_subject_ID",
            "BraTS_2020_subject_ID",
        ]
        survival = pd.read_csv(folder / "survival_info.csv")
        assert list(survival.columns) == ["Brats20ID", "Age", "Survival_days", "Extent_of_Resection"]
        expected = [draw_patient(1, index) for index in range(4)]
        assert grades["Grade"].tolist() == [patient.grade for patient in expected]
        assert survival["Age"].tolist() == [patient.age for patient in expected if patient.grade == "HGG"]
        assert b"\r\n" in (folder / "survival_info.csv").read_bytes()

    def test_lgg_have_clinical_values_only_on_request(self, tmp_path: Path) -> None:
        make = partial(make_brats_phantoms, patients=2, shape=(16, 16, 16), lgg_share=1.0)
        without = make(tmp_path / "a")
        with_values = make(tmp_path / "b", lgg_clinical=True)
        assert pd.read_csv(without / "survival_info.csv").empty
        assert len(pd.read_csv(with_values / "survival_info.csv")) == 2

    def test_in_a_blind_cohort_only_missing_values_tell_the_grade(self, tmp_path: Path) -> None:
        make = partial(make_brats_phantoms, patients=10, shape=(16, 16, 16), seed=2)
        seeing, blind = make(tmp_path / "a"), make(tmp_path / "b", blind_grade=True)
        records = read_brats(blind)
        assert [record["grade"] for record in records].count("LGG") == 3
        assert [record["grade"] for record in records] != [record["grade"] for record in read_brats(seeing)]
        assert all((record["age"] is None) == (record["grade"] == "LGG") for record in records)
        for path in seeing.rglob("*.nii.gz"):
            assert path.read_bytes() == (blind / path.relative_to(seeing)).read_bytes()
        assert "blind to the tumour" in (blind / "README.txt").read_text()
        assert "blind to the tumour" not in (seeing / "README.txt").read_text()

    def test_survivors_and_unknown_resections_are_written_as_in_brats(self) -> None:
        patients = [draw_patient(0, index) for index in range(100)]
        table = survival_info(patients)
        for patient, days, resection in zip(
            patients, table["Survival_days"], table["Extent_of_Resection"], strict=True
        ):
            pattern = r"ALIVE \(\d+ days later\)" if patient.alive else r"\d+"
            assert re.fullmatch(pattern, days)
            assert resection == patient.resection or (patient.resection is None and pd.isna(resection))
        assert name_mapping(patients)["BraTS_2019_subject_ID"].isna().all()

    def test_a_larger_cohort_begins_with_the_smaller_one(self, folder: Path, tmp_path: Path) -> None:
        smaller = make_brats_phantoms(tmp_path, patients=2, shape=TINY, seed=1)
        for path in smaller.rglob("*.nii.gz"):
            assert path.read_bytes() == (folder / path.relative_to(smaller)).read_bytes()


class TestRefusals:
    def test_a_folder_with_something_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(OutputError, match="not empty"):
            make_brats_phantoms(tmp_path, patients=1, shape=TINY)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="is a file"):
            make_brats_phantoms(tmp_path / "file", patients=1, shape=TINY)

    def test_all_settings_without_meaning_are_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(KnobError) as caught:
            make_brats_phantoms(tmp_path / "new", patients=0, shape=(240, 240), seed=-1, lgg_share=1.5)
        assert [problem.where for problem in caught.value.problems] == ["patients", "seed", "lgg_share", "shape"]
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("shape", [(240, 240, 0), (8, 48, 24), (240, 240, 513), (48, 48, 24, 4)])
    def test_shapes_that_hold_no_head(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with pytest.raises(KnobError, match="shape"):
            make_brats_phantoms(tmp_path, patients=1, shape=shape)


class TestCommand:
    def test_it_writes_the_cohort_and_tells_where(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        asked = ["brats2020", str(tmp_path / "out"), "--patients", "1", "--shape", "16", "16", "16", "--seed", "4"]
        assert _command().main(asked) == 0
        shown = capsys.readouterr()
        assert str(tmp_path / "out" / "MICCAI_BraTS2020_TrainingData") in shown.out
        assert "1/1" in shown.err
        assert len(list(tmp_path.rglob("*.nii.gz"))) == 5

    def test_grades_may_be_blind(self, tmp_path: Path) -> None:
        asked = ["brats2020", str(tmp_path / "out"), "--patients", "1", "--shape", "16", "16", "16", "--blind-grade"]
        assert _command().main(asked) == 0
        assert "blind to the tumour" in next(tmp_path.rglob("README.txt")).read_text()

    def test_2023_with_second_scans(self, tmp_path: Path) -> None:
        asked = ["brats2023", str(tmp_path), "--patients", "2", "--shape", "32", "32", "24", "--second-timepoints", "1"]
        assert _command().main(asked) == 0
        records = read_brats(tmp_path)
        assert [record["scan"] for record in records] == [
            f"BraTS-GLI-{end}" for end in ("00000-000", "00000-001", "00001-000")
        ]
        first, second, _ = (np.asanyarray(nib.load(record["flair"]).dataobj) for record in records)
        np.testing.assert_array_equal(first > 0, second > 0)
        assert not np.array_equal(first, second)
        masks = [np.asanyarray(nib.load(record["seg"]).dataobj) for record in records]
        np.testing.assert_array_equal(masks[0], masks[1])
        assert {value for mask in masks for value in np.unique(mask)} == {0, 1, 2, 3}
        assert all(map(is_phantom, records))

    def test_hdf5_slices_are_standardised_one_by_one(self, tmp_path: Path) -> None:
        asked = ["brats2020_hdf5", str(tmp_path), "--patients", "1", "--shape", "32", "32", "24", "--seed", "4"]
        assert _command().main(asked) == 0
        folder = tmp_path / "BraTS2020_training_data" / "content" / "data"
        names = {path.name for path in folder.iterdir()}
        slices = {f"volume_1_slice_{index}.h5" for index in range(24)}
        assert names == {*slices, "name_mapping.csv", "survival_info.csv", "README.txt"}
        with h5py.File(folder / "volume_1_slice_12.h5") as file:
            image, mask = file["image"][()], file["mask"][()]
        assert (image.shape, image.dtype, mask.shape, mask.dtype) == ((32, 32, 4), np.float64, (32, 32, 3), np.uint8)
        np.testing.assert_allclose(image.mean(axis=(0, 1)), 0, atol=1e-12)
        np.testing.assert_allclose(image.std(axis=(0, 1)), 1)
        assert (image[0, 0] < 0).all()
        subject = phantom_subject(4, 0, (32, 32, 24))
        assert np.corrcoef(image[..., 2].ravel(), subject.modalities["t1ce"][:, :, 12].ravel())[0, 1] > 1 - 1e-9
        np.testing.assert_array_equal(mask @ [1, 2, 4], subject.mask[:, :, 12])

    def test_an_unknown_layout_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit):
            _command().main(["brats1999", str(tmp_path)])


def _command() -> ModuleType:
    path = Path(__file__).parents[3] / "scripts" / "make_phantoms.py"
    spec = importlib.util.spec_from_file_location("make_phantoms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _median_by_tissue(seed: int, index: int) -> dict[str, dict[str, float]]:
    """Median of each modality where a voxel is almost wholly fluid, grey or white and free of tumour."""
    patient = draw_patient(seed, index)
    seat = choose_seat(random_stream(seed, index, "seat"), patient)
    brain = grow_brain(random_stream(seed, index, "brain"), MEDIUM, seat)
    subject = phantom_subject(seed, index, MEDIUM)
    is_healthy = subject.mask.reshape(-1)[brain.inside] == 0
    tissues = {"fluid": brain.fluid, "grey": brain.grey, "white": brain.white}
    return {
        name: {
            tissue: float(np.median(scan.reshape(-1)[brain.inside][(share > 0.9) & is_healthy]))
            for tissue, share in tissues.items()
        }
        for name, scan in subject.modalities.items()
    }
