from __future__ import annotations

import csv
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from common.cohorts import grade_cohort, read_volume_cohort, volume_classes, volume_cohort
from common.errors import DatasetError, KnobError

Writer = Callable[..., Path]


@pytest.fixture
def brats(write_patient: Writer, tmp_path: Path) -> Path:
    """Two HGG, one LGG and one without a grade; no other modality than T1ce, and two masks."""
    root = tmp_path / "brats"
    for number, (grade, keys) in enumerate((("HGG", ["t1ce", "seg"]), ("HGG", ["t1ce"]), ("LGG", ["t1ce", "seg"]))):
        write_patient(root / grade / f"BraTS19_TCIA01_{number}_1", keys)
    write_patient(root / "BraTS19_TCIA01_9_1", ["t1ce"])
    return root


@pytest.fixture
def ixi(write_volume: Writer, tmp_path: Path) -> Path:
    root = tmp_path / "ixi"
    for name in ("IXI012-HH-1211-T1", "IXI013-HH-1212_T1", "IXI013-HH-1212_T1_mask"):
        write_volume(root / f"{name}.nii.gz")
    return root


class TestRead:
    def test_patients_and_healthy_people(self, brats: Path, ixi: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            records = read_volume_cohort(brats, ixi)
        assert [record["grade"] for record in records] == ["HGG", "HGG", "LGG", "healthy", "healthy"]
        assert [record["source"] for record in records] == ["brats2019"] * 3 + ["ixi"] * 2
        assert ["seg" in record for record in records] == [True, False, True, False, False]
        assert ["brain_mask" in record for record in records] == [False] * 4 + [True]
        assert records[3]["t1ce"] == str(ixi / "IXI012-HH-1211-T1.nii.gz")
        assert "1 of 6 patients are left out: no grade is recorded" in caplog.text

    def test_inference_keeps_those_without_a_grade(self, brats: Path) -> None:
        records = read_volume_cohort(brats, need_label=False)
        assert [record["grade"] for record in records] == ["HGG", "HGG", "LGG", None]

    def test_an_ixi_folder_alone(self, ixi: Path) -> None:
        assert read_volume_cohort(ixi, modalities=["t1"]) == read_volume_cohort(healthy_dir=ixi, modalities=["t1"])

    def test_healthy_people_are_added_only_where_they_are_asked_for(self, brats: Path, ixi: Path) -> None:
        assert brats.parent == ixi.parent
        assert {record["source"] for record in read_volume_cohort(brats.parent)} == {"brats2019"}
        assert {record["source"] for record in read_volume_cohort(brats.parent, ixi)} == {"brats2019", "ixi"}

    def test_people_of_either_folder_are_left_out(self, brats: Path, ixi: Path) -> None:
        exclude = "IXI012-HH-1211, BraTS19_TCIA01_0_1"
        left = [record["subject"] for record in read_volume_cohort(brats, ixi, exclude=exclude)]
        assert left == ["BraTS19_TCIA01_1_1", "BraTS19_TCIA01_2_1", "IXI013-HH-1212"]
        for misspelt in ("IXI012-HH-1212", "BraTS19_TCIA01_00_1"):
            with pytest.raises(KnobError, match=f"'{misspelt}' is no patient"):
                read_volume_cohort(brats, ixi, exclude=misspelt)

    def test_both_folders_problems_in_one_error(self, brats: Path, ixi: Path, write_volume: Writer) -> None:
        (brats / "HGG" / "BraTS19_TCIA01_0_1" / "BraTS19_TCIA01_0_1_t1ce.nii.gz").unlink()
        (ixi / "IXI012-HH-1211-T1.nii.gz").write_bytes(b"nonsense")
        (ixi / "IXI013-HH-1212_T1_mask.nii.gz").write_bytes(b"")
        with pytest.raises(DatasetError) as error:
            read_volume_cohort(brats, ixi)
        told = [problem.what for problem in error.value.problems]
        assert len(told) == 3
        assert "has no t1ce" in told[0]
        assert "not NIfTI" in told[1]
        assert "empty" in told[2]

    def test_two_folders_that_are_none(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError) as error:
            read_volume_cohort(tmp_path / "a", tmp_path / "b")
        assert [Path(problem.where).name for problem in error.value.problems] == ["a", "b"]

    def test_knobs_without_a_meaning(self, brats: Path, ixi: Path) -> None:
        with pytest.raises(KnobError, match="no data set is given"):
            read_volume_cohort()
        with pytest.raises(KnobError, match="t3 is no modality"):
            read_volume_cohort(brats, modalities=["t3"])
        with pytest.raises(KnobError, match="IXI has no flair"):
            read_volume_cohort(brats, ixi, modalities=["flair"])
        everybody = "IXI012-HH-1211,IXI013-HH-1212"
        with pytest.raises(DatasetError, match="nobody is left"):
            read_volume_cohort(brats, ixi, exclude=everybody)


class TestList:
    @pytest.fixture
    def rows(self, write_volume: Writer, tmp_path: Path) -> list[dict[str, str]]:
        grades = ("LGG", "hgg", "Healthy", "NA")
        return [
            {"subject": f"p{number}", "t1ce": write_volume(tmp_path / f"p{number}.nii.gz").name, "grade": grade}
            for number, grade in enumerate(grades)
        ]

    def test_grades_and_masks(self, rows: list[dict[str, str]], write_volume: Writer, tmp_path: Path) -> None:
        beside = write_volume(tmp_path / "p0_brain_mask.nii.gz")
        named = write_volume(tmp_path / "elsewhere" / "brain.nii.gz")
        records = read_volume_cohort(datalist=write_list(tmp_path, rows, brain_mask={"p1": "elsewhere/brain.nii.gz"}))
        assert [record["grade"] for record in records] == ["LGG", "HGG", "healthy"]
        assert [record.get("brain_mask") for record in records] == [str(beside), str(named), None]
        assert volume_classes(records) == ("LGG", "HGG", "healthy")

    def test_a_list_and_ixi(self, rows: list[dict[str, str]], ixi: Path, tmp_path: Path) -> None:
        records = read_volume_cohort(healthy_dir=ixi, datalist=write_list(tmp_path, rows), exclude="p2")
        assert [record["subject"] for record in records] == ["p0", "p1", "IXI012-HH-1211", "IXI013-HH-1212"]

    def test_what_is_wrong_is_told(self, rows: list[dict[str, str]], tmp_path: Path) -> None:
        rows[0]["grade"] = "GBM"
        with pytest.raises(DatasetError) as error:
            read_volume_cohort(datalist=write_list(tmp_path, rows, brain_mask={"p1": "nowhere.nii.gz"}))
        wrong, absent = map(str, error.value.problems)
        assert "'GBM' is not HGG, LGG or healthy" in wrong
        assert "its brain_mask" in absent


class TestOnePerson:
    def test_a_file_of_ixi(self, ixi: Path) -> None:
        given = {"t1ce": str(ixi / "IXI013-HH-1212_T1.nii.gz"), "t2": None, "subject": None, "brain_mask": None}
        (record,) = read_volume_cohort(volumes=given)
        assert (record["subject"], record["source"], record["grade"]) == ("IXI013-HH-1212", "files", None)
        assert record["brain_mask"] == str(ixi / "IXI013-HH-1212_T1_mask.nii.gz")

    def test_names_and_masks_that_are_given(self, brats: Path, ixi: Path) -> None:
        image = brats / "LGG" / "BraTS19_TCIA01_2_1" / "BraTS19_TCIA01_2_1_t1ce.nii.gz"
        (record,) = read_volume_cohort(volumes={"t1ce": image})
        assert record["subject"] == "BraTS19_TCIA01_2_1"
        mask = str(ixi / "IXI013-HH-1212_T1_mask.nii.gz")
        (record,) = read_volume_cohort(volumes={"t1ce": image, "subject": "me", "brain_mask": mask})
        assert (record["subject"], record["brain_mask"]) == ("me", mask)

    def test_what_does_not_fit(self, ixi: Path, tmp_path: Path) -> None:
        image = str(ixi / "IXI013-HH-1212_T1.nii.gz")
        with pytest.raises(KnobError, match="files and a folder or list were given"):
            read_volume_cohort(ixi, volumes={"t1ce": image})
        with pytest.raises(KnobError, match="t2 is no modality of this network"):
            read_volume_cohort(volumes={"t1ce": image, "t2": image})
        with pytest.raises(KnobError, match="the patient has no t2"):
            read_volume_cohort(volumes={"t1ce": image}, modalities=["t1ce", "t2"])
        with pytest.raises(DatasetError, match="does not exist"):
            read_volume_cohort(volumes={"t1ce": str(tmp_path / "nowhere.nii.gz")})


class TestClasses:
    def test_labels_are_places_in_the_classes(self) -> None:
        labelled = volume_cohort(people("healthy", "HGG", "LGG", None))
        assert [record["label"] for record in labelled] == [2, 1, 0]
        assert volume_classes(labelled) == ("LGG", "HGG", "healthy")
        assert [record["label"] for record in volume_cohort(people("HGG", "LGG"))] == [1, 0]
        assert volume_classes(people("HGG", "LGG")) == ("LGG", "HGG")

    @pytest.mark.parametrize(
        ("grades", "told"),
        [
            (["healthy", "HGG"], "no patient is LGG .LGG 0, HGG 1, healthy 1, 0 without a grade."),
            ([None, None], "no patient is LGG or HGG .LGG 0, HGG 0, 2 without a grade."),
        ],
    )
    def test_a_class_without_anybody(self, grades: list[str | None], told: str) -> None:
        with pytest.raises(DatasetError, match=told):
            volume_cohort(people(*grades))

    def test_healthy_people_have_no_grade_to_learn(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            assert [record["subject"] for record in grade_cohort(people("healthy", "HGG", "LGG"))] == ["p1", "p2"]
        assert "1 of 3 patients are left out" in caplog.text


def people(*grades: str | None) -> list[dict[str, str | None]]:
    return [{"subject": f"p{number}", "grade": grade} for number, grade in enumerate(grades)]


def write_list(folder: Path, rows: list[dict[str, str]], brain_mask: dict[str, str] | None = None) -> Path:
    path = folder / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "brain_mask"])
        writer.writeheader()
        writer.writerows({**row, "brain_mask": (brain_mask or {}).get(row["subject"], "")} for row in rows)
    return path
