from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from common.cohorts.datasets.brats import read_brats
from common.errors import DatasetError

MODALITIES = ("flair", "t1", "t1ce", "t2")
SURVIVAL_2020 = "Brats20ID,Age,Survival_days,Extent_of_Resection\r\n"


def told(error: pytest.ExceptionInfo[DatasetError]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


def test_2018_takes_grades_from_folders_and_values_from_survival_data(tmp_path, write_patient):
    write_patient(tmp_path / "HGG" / "Brats18_CBICA_ABM_1")
    write_patient(tmp_path / "LGG" / "Brats18_TCIA10_637_1")
    table = "Brats18ID,Age,Survival,ResectionStatus\r\nBrats18_CBICA_ABM_1,69.9,503,GTR\r\n"
    (tmp_path / "survival_data.csv").write_bytes(table.encode())

    high, low = read_brats(tmp_path)

    folder = tmp_path / "HGG" / "Brats18_CBICA_ABM_1"
    assert high == {
        "subject": "Brats18_CBICA_ABM_1",
        "source": "brats2018",
        **{key: str(folder / f"Brats18_CBICA_ABM_1_{key}.nii.gz") for key in (*MODALITIES, "seg")},
        "mask_values": [1, 2, 4],
        "grade": "HGG",
        "age": 69.9,
        "survival_days": 503.0,
        "alive": False,
        "resection": "GTR",
    }
    assert (low["grade"], low["age"], low["survival_days"], low["resection"]) == ("LGG", None, None, None)


def test_2019_reads_its_mapping_beside_the_grade_folders(tmp_path, write_patient):
    root = tmp_path / "MICCAI_BraTS_2019_Data_Training"
    write_patient(root / "HGG" / "BraTS19_CBICA_AAB_1")
    (root / "name_mapping.csv").write_text(
        "Grade,BraTS_2017_subject_ID,BraTS_2018_subject_ID,TCGA_TCIA_subject_ID,BraTS_2019_subject_ID\n"
        "HGG,Brats17_CBICA_AAB_1,Brats18_CBICA_AAB_1,NA,BraTS19_CBICA_AAB_1\n"
        "LGG,NA,NA,NA,BraTS19_TCIA09_1_1\n"
    )
    (root / "survival_data.csv").write_text(
        "BraTS19ID,Age,Survival,ResectionStatus\nBraTS19_CBICA_AAB_1,61.6,ALIVE (361 days later),NA\n"
    )
    (record,) = read_brats(root)
    assert (record["source"], record["grade"], record["age"]) == ("brats2019", "HGG", 61.6)
    assert (record["survival_days"], record["alive"], record["resection"]) == (361.0, True, None)


def test_2020_nested_as_kaggle_does_with_plain_nifti(tmp_path, write_patient):
    root = tmp_path / "BraTS2020_TrainingData" / "MICCAI_BraTS2020_TrainingData"
    write_patient(root / "BraTS20_Training_002", suffix=".nii")
    write_patient(root / "BraTS20_Training_001", suffix=".nii")
    (root / "name_mapping.csv").write_text(
        "Grade,BraTS_2020_subject_ID\nLGG,BraTS20_Training_002\nHGG,BraTS20_Training_001\n"
    )
    (root / "survival_info.csv").write_bytes(f"{SURVIVAL_2020}BraTS20_Training_001,60.463,289,STR\r\n".encode())

    records = read_brats(tmp_path)

    assert [(r["subject"], r["grade"], r["age"], r["resection"]) for r in records] == [
        ("BraTS20_Training_001", "HGG", 60.463, "STR"),
        ("BraTS20_Training_002", "LGG", None, None),
    ]
    assert records[0]["seg"].endswith("BraTS20_Training_001_seg.nii")


def test_2021_has_no_tables(tmp_path, write_patient):
    write_patient(tmp_path / "BraTS2021_Training_Data" / "BraTS2021_00000")
    (record,) = read_brats(tmp_path)
    assert (record["source"], record["grade"], record["age"]) == ("brats2021", None, None)


def test_case_355_has_its_mask_under_another_name(tmp_path, write_patient, write_volume):
    folder = write_patient(tmp_path / "BraTS20_Training_355", keys=MODALITIES, suffix=".nii")
    odd = write_volume(folder / "W39_1998.09.19_Segm.nii")
    assert read_brats(tmp_path)[0]["seg"] == str(odd)

    shutil.move(folder, tmp_path / "BraTS20_Training_356")
    with pytest.raises(DatasetError):
        read_brats(tmp_path)


def test_a_file_within_a_folder_of_its_name(tmp_path, write_patient, write_volume):
    folder = write_patient(tmp_path / "BraTS2021_00001", keys=("t1", "t1ce", "t2", "seg"))
    inner = write_volume(folder / "BraTS2021_00001_flair.nii" / "00000057_brain_flair.nii")
    assert read_brats(tmp_path)[0]["flair"] == str(inner)

    write_volume(inner.with_name("second.nii"))
    with pytest.raises(DatasetError, match="2 NIfTI files in it where one is expected"):
        read_brats(tmp_path)


def test_one_patient_s_folder(tmp_path, write_patient):
    folder = write_patient(tmp_path / "HGG" / "BraTS19_CBICA_AAB_1")
    assert read_brats(folder)[0]["subject"] == "BraTS19_CBICA_AAB_1"
    assert read_brats(tmp_path / "HGG")[0]["grade"] == "HGG"


def test_only_the_wanted_modalities_are_needed(tmp_path, write_patient):
    write_patient(tmp_path / "BraTS2021_00000", keys=("t1ce",))
    (record,) = read_brats(tmp_path, need_seg=False, modalities=("t1ce",))
    assert "t1ce" in record
    assert not {"flair", "seg"} & set(record)


def test_t1_is_not_found_in_t1ce_nor_in_another_patient_s_files(tmp_path, write_patient, write_volume):
    folder = write_patient(tmp_path / "BraTS2021_00000", keys=("flair", "t1ce", "t2", "seg"))
    write_volume(folder / "BraTS2021_00009_t1.nii.gz")
    with pytest.raises(DatasetError, match="has no t1 ") as error:
        read_brats(tmp_path)
    assert len(error.value.problems) == 1


def test_missing_folder_and_a_file_in_its_place(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        read_brats(tmp_path / "nowhere")
    archive = tmp_path / "brats.zip"
    archive.touch()
    with pytest.raises(DatasetError, match="is a file"):
        read_brats(archive)


def test_a_folder_without_patients_says_what_was_looked_for(tmp_path):
    with pytest.raises(DatasetError, match=r"it is empty\. Folders such as Brats18_CBICA_ABM_1"):
        read_brats(tmp_path)
    (tmp_path / "BraTS-PED-00001-000").mkdir()
    with pytest.raises(DatasetError, match="it holds BraTS-PED-00001-000"):
        read_brats(tmp_path)


def test_all_problems_are_told_at_once(tmp_path, write_patient):
    write_patient(tmp_path / "BraTS20_Training_001", keys=("flair", "t1ce", "seg"))
    write_patient(tmp_path / "BraTS20_Training_002", keys=MODALITIES)
    write_patient(tmp_path / "BraTS20_Training_003")
    (tmp_path / "BraTS20_Training_004").mkdir()
    (tmp_path / "survival_info.csv").write_text(
        f"{SURVIVAL_2020}BraTS20_Training_003,old,dead,XTR\nBraTS20_Training_001,0,-1,\n"
    )
    with pytest.raises(DatasetError) as error:
        read_brats(tmp_path)
    lines = told(error)
    table = tmp_path / "survival_info.csv"
    expected = [
        (f"{table}, line 2", "column Age: 'old' is not a number"),
        (f"{table}, line 2", "column Survival_days: 'dead' is not a number"),
        (f"{table}, line 2", "column Extent_of_Resection: 'XTR' is not GTR or STR"),
        (f"{table}, line 3", "column Age: '0' is not an age"),
        (f"{table}, line 3", "column Survival_days: '-1' is negative"),
        ("BraTS20_Training_001", "has no t1, t2 "),
        ("BraTS20_Training_004", "has no flair, t1, t1ce, t2 (it is empty)"),
        ("BraTS20_Training_002", "has no mask"),
        ("BraTS20_Training_004", "has no mask"),
    ]
    assert len(lines) == len(expected)
    for where, what in expected:
        assert any(where in line and what in line for line in lines), what


def test_validation_data_without_masks_are_one_problem_or_none(tmp_path, write_patient):
    for number in range(3):
        write_patient(tmp_path / "validation" / f"BraTS20_Validation_00{number}", keys=MODALITIES)
        write_patient(tmp_path / "training" / f"BraTS20_Training_00{number}")
    with pytest.raises(DatasetError, match="none of its 3 patients has a mask") as error:
        read_brats(tmp_path)
    assert len(error.value.problems) == 1
    assert "seg" not in read_brats(tmp_path / "validation", need_seg=False)[0]
    assert sum("seg" in record for record in read_brats(tmp_path, need_seg=False)) == 3


def test_the_same_patient_twice(tmp_path, write_patient):
    first = write_patient(tmp_path / "HGG" / "Brats18_CBICA_ABM_1")
    second = write_patient(tmp_path / "more" / "Brats18_CBICA_ABM_1")
    with pytest.raises(DatasetError, match="the same patient is also in") as error:
        read_brats(tmp_path)
    assert str(first) in str(error.value)
    assert str(second) in str(error.value)


def test_packed_and_unpacked_at_once_are_told(tmp_path, write_patient, write_volume):
    folder = write_patient(tmp_path / "BraTS2021_00000")
    write_volume(folder / "BraTS2021_00000_seg.nii")
    with pytest.raises(DatasetError, match=r"both BraTS2021_00000_seg.nii and BraTS2021_00000_seg.nii.gz") as error:
        read_brats(tmp_path)
    assert len(error.value.problems) == 1


def test_two_releases_share_patients(tmp_path, write_patient):
    write_patient(tmp_path / "Brats18_CBICA_AAB_1")
    write_patient(tmp_path / "BraTS19_CBICA_AAB_1")
    with pytest.raises(DatasetError, match="1 scans of brats2018 and 1 scans of brats2019"):
        read_brats(tmp_path)


def test_folder_and_mapping_contradict_each_other(tmp_path, write_patient):
    write_patient(tmp_path / "HGG" / "BraTS19_CBICA_AAB_1")
    (tmp_path / "name_mapping.csv").write_text("Grade,BraTS_2019_subject_ID\nLGG,BraTS19_CBICA_AAB_1\n")
    with pytest.raises(DatasetError, match=r"lies in HGG but name_mapping\.csv says LGG"):
        read_brats(tmp_path)


@pytest.mark.parametrize(
    ("name", "header", "what"),
    [
        ("survival_info.csv", "Brats20ID,Survival_days,Extent_of_Resection", "has no column Age;"),
        ("survival_info.csv", "Patient,Age,Survival_days,Extent_of_Resection", "no column with the patients' ids"),
        ("name_mapping.csv", "BraTS_2020_subject_ID", "has no column Grade;"),
        ("survival_data.csv", "", "the file is empty"),
    ],
)
def test_a_table_without_a_needed_column(tmp_path, write_patient, name, header, what):
    write_patient(tmp_path / "BraTS20_Training_001")
    (tmp_path / name).write_text(f"{header}\n" if header else "")
    with pytest.raises(DatasetError, match=what) as error:
        read_brats(tmp_path)
    assert str(error.value).startswith(str(tmp_path / name))


def test_real_2018_cases(realdata: Path):
    records = read_brats(realdata / "brats18")
    assert [record["grade"] for record in records].count("LGG") == 2
    assert len(records) == 12
    assert sum(record["age"] is not None for record in records) == 7


def write_2023(folder, write_volume, keys=("t2f", "t1n", "t1c", "t2w", "seg")):
    for key in keys:
        labels = np.resize(np.array([0, 1, 2], np.uint8), (6, 5, 4))
        write_volume(folder / f"{folder.name}-{key}.nii.gz", labels if key == "seg" else None)
    return folder


def test_2023_has_a_record_a_scan_and_the_releases_labels(tmp_path, write_volume):
    for name in ("BraTS-GLI-00005-001", "BraTS-GLI-00005-000", "BraTS-GLI-00002-000"):
        write_2023(tmp_path / "ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData" / name, write_volume)
    records = read_brats(tmp_path)
    assert [(record["subject"], record["scan"]) for record in records] == [
        ("BraTS-GLI-00002", "BraTS-GLI-00002-000"),
        ("BraTS-GLI-00005", "BraTS-GLI-00005-000"),
        ("BraTS-GLI-00005", "BraTS-GLI-00005-001"),
    ]
    first = records[0]
    # no file here holds a 3: the release tells the labels
    assert (first["source"], first["mask_values"], first["grade"]) == ("brats2023", [1, 2, 3], None)
    stems = {key: Path(first[key]).name.removeprefix("BraTS-GLI-00002-000-") for key in (*MODALITIES, "seg")}
    assert stems == {
        "flair": "t2f.nii.gz",
        "t1": "t1n.nii.gz",
        "t1ce": "t1c.nii.gz",
        "t2": "t2w.nii.gz",
        "seg": "seg.nii.gz",
    }


def test_a_file_that_a_scan_of_2023_lacks_is_told_by_its_name_there(tmp_path, write_volume):
    write_2023(tmp_path / "BraTS-GLI-00005-000", write_volume)
    write_2023(tmp_path / "BraTS-GLI-00005-001", write_volume, ("t2f", "t1n", "t2w"))
    with pytest.raises(DatasetError) as error:
        read_brats(tmp_path)
    lacking, no_mask = told(error)
    assert "has no t1ce" in lacking
    assert "BraTS-GLI-00005-001-t1c.nii.gz or .nii is expected" in lacking
    assert "--exclude BraTS-GLI-00005-001" in lacking
    assert "BraTS-GLI-00005-001-seg.nii.gz or .nii is expected" in no_mask


def test_a_scan_that_lies_there_twice_is_told_but_two_scans_of_a_patient_are_not(tmp_path, write_volume):
    for place in ("a", "b"):
        write_2023(tmp_path / place / "BraTS-GLI-00005-000", write_volume)
    write_2023(tmp_path / "a" / "BraTS-GLI-00005-001", write_volume)
    with pytest.raises(DatasetError) as error:
        read_brats(tmp_path)
    (problem,) = told(error)
    assert "BraTS-GLI-00005-000" in problem
    assert "also in" in problem


@pytest.mark.parametrize(
    ("name", "content", "warned"),
    [
        (
            "survival_info.csv",
            "Brats20ID,Age,Survival_days,Extent_of_Resection\nBraTS20_Training_001,60.1,9,GTR\n",
            None,
        ),
        (
            "survival_info.csv",
            "Brats20ID,Age,Survival_days,Extent_of_Resection\nBraTS20_Training_0001,60.1,9,GTR\n",
            "survival_info.csv names none of the 1 patients that are here; it names brats20_training_0001",
        ),
        (
            "survival_info.csv",
            "Brats20ID,Age,Survival_days,Extent_of_Resection\n",
            "survival_info.csv names none of the 1 patients that are here",
        ),
        ("Survival_Info.xlsx", "PK", "Survival_Info.xlsx is a spreadsheet and not read: save it beside as CSV"),
    ],
)
def test_a_table_of_which_nothing_is_known_in_the_end_is_told(tmp_path, write_patient, caplog, name, content, warned):
    write_patient(tmp_path / "BraTS20_Training_001")
    (tmp_path / name).write_text(content)
    read_brats(tmp_path)
    assert [warned in message for message in caplog.messages] == ([True] if warned else [])


def test_a_spreadsheet_beside_the_table_that_was_made_of_it_is_not_told(tmp_path, write_patient, caplog):
    write_patient(tmp_path / "BraTS20_Training_001")
    table = "Brats20ID,Age,Survival_days,Extent_of_Resection\nBraTS20_Training_001,60.1,9,GTR\n"
    (tmp_path / "survival_info.csv").write_text(table)
    (tmp_path / "survival_info.xlsx").write_bytes(b"PK")
    read_brats(tmp_path)
    assert not caplog.messages
