from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.cohorts.inference_patients import not_yet_predicted, read_patients, still_to_do
from common.cohorts.inference_people import read_volume_cohort
from common.cohorts.inference_series import read_series_cohort
from common.errors import DatasetError, KnobError, OutputError

Writer = Callable[..., Path]


def test_a_folder_of_unlabelled_patients(tmp_path: Path, write_patient: Writer) -> None:
    for name in ("BraTS2021_00002", "BraTS2021_00001"):
        write_patient(tmp_path / name, ("flair", "t1", "t1ce", "t2"))
    records = read_patients(tmp_path)
    assert [record["subject"] for record in records] == ["BraTS2021_00001", "BraTS2021_00002"]
    assert not any(record.get("seg") for record in records)
    assert [record["subject"] for record in read_patients(tmp_path, exclude="BraTS2021_00001")] == ["BraTS2021_00002"]


def test_the_folder_of_one_patient(tmp_path: Path, write_patient: Writer) -> None:
    write_patient(tmp_path / "BraTS2021_00002")
    (record,) = read_patients(tmp_path / "BraTS2021_00002")
    assert record["subject"] == "BraTS2021_00002"


def test_a_modality_may_be_absent_only_on_the_word(tmp_path: Path, write_patient: Writer) -> None:
    write_patient(tmp_path / "BraTS2021_00001", ("flair", "t1ce", "t2"))
    with pytest.raises(DatasetError, match="t1"):
        read_patients(tmp_path)
    (record,) = read_patients(tmp_path, missing_modality="zero")
    assert not record.get("t1")
    assert record["t1ce"]
    with pytest.raises(KnobError, match="'mean' is no choice"):
        read_patients(tmp_path, missing_modality="mean")


@pytest.mark.parametrize(
    ("files", "subject"),
    [
        ({"flair": "/x/BraTS20_Validation_001_flair.nii.gz", "t1": "/x/other.nii"}, "BraTS20_Validation_001"),
        ({"t1ce": "scan.nii"}, "scan"),
        ({"flair": "a_t1_flair.nii.gz"}, "a_t1"),
        ({"image": "/x/Brats18_2013.08.03.nii.gz"}, "Brats18_2013.08.03"),
        ({"subject": "Ada", "flair": "scan.nii"}, "Ada"),
    ],
)
def test_one_patients_files(files: dict[str, str], subject: str) -> None:
    nothing = dict.fromkeys(("image", "flair", "t1", "t1ce", "t2", "subject"))
    (record,) = read_patients(files={**nothing, **files})
    assert record["subject"] == subject
    assert {key: record[key] for key in files} == files
    assert not record.keys() & (nothing.keys() - files.keys() - {"subject"})


def test_contradictions_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(KnobError, match="files and a folder or list were given"):
        read_patients(tmp_path, files={"flair": "a.nii"})
    with pytest.raises(KnobError, match="no data set is given"):
        read_patients()
    with pytest.raises(KnobError, match="no data set is given"):
        read_patients(files={"subject": "Ada", "flair": None})
    with pytest.raises(KnobError, match="t1ce is no modality of this network"):
        read_patients(files={"flair": "a.nii", "t1ce": "b.nii"}, modalities=("flair", "t2"))
    with pytest.raises(KnobError, match="image and single modalities"):
        read_patients(files={"image": "a.nii", "t1ce": "b.nii"})


def test_what_is_still_to_do(tmp_path: Path) -> None:
    records = [{"subject": name, "flair": f"{name}.nii", "t1": None, "seg": "m.nii", "age": 3.0} for name in "AB"]
    todo = still_to_do(records, tmp_path)
    assert todo == [{"subject": "A", "flair": "A.nii"}, {"subject": "B", "flair": "B.nii"}]
    (tmp_path / "A_seg.nii.gz").touch()
    with pytest.raises(OutputError, match="results of 1 patients are there already"):
        still_to_do(records, tmp_path)
    (tmp_path / "volumes.csv").write_text("subject,file\nA,A_seg.nii.gz\n")
    assert [item["subject"] for item in still_to_do(records, tmp_path, resume=True)] == ["B"]
    assert [item["subject"] for item in still_to_do(records, tmp_path, overwrite=True)] == ["A", "B"]
    (tmp_path / "B_seg.nii.gz").touch()  # a run was killed before it wrote the row
    assert [item["subject"] for item in still_to_do(records, tmp_path, resume=True)] == ["B"]
    (tmp_path / "volumes.csv").write_text("subject,file\nA,A_seg.nii.gz\nB,B_seg.nii.gz\n")
    assert still_to_do(records, tmp_path, resume=True) == []


def test_files_of_all_channels_at_once(tmp_path: Path, write_volume: Writer) -> None:
    path = write_volume(tmp_path / "a.nii.gz", np.ones((4, 4, 4, 4), np.int16))
    (item,) = still_to_do(read_patients(files={"image": str(path)}), tmp_path / "out")
    assert item == {"subject": "a", "image": str(path)}


def test_clinical_values_of_one_patients_files_and_of_one_patients_folder(
    tmp_path: Path, write_patient: Writer
) -> None:
    said = {"age": "61", "resection": "gtr"}
    (record,) = read_patients(files={"flair": "scan.nii"}, clinical=said)
    assert (record["age"], record["resection"]) == (61.0, "GTR")
    write_patient(tmp_path / "BraTS2021_00002")
    (record,) = read_patients(tmp_path / "BraTS2021_00002", clinical={"age": 61, "resection": None})
    assert (record["age"], record["resection"]) == (61.0, None)


def test_clinical_values_are_of_one_patient_only(tmp_path: Path, write_patient: Writer) -> None:
    for name in ("BraTS2021_00002", "BraTS2021_00001"):
        write_patient(tmp_path / name)
    with pytest.raises(KnobError, match=r"--age and --resection: .* there are 2 patients"):
        read_patients(tmp_path, clinical={"age": 61, "resection": "GTR"})
    assert len(read_patients(tmp_path, clinical={"age": None, "resection": None})) == 2
    assert read_patients(tmp_path, exclude="BraTS2021_00001", clinical={"age": 61})[0]["age"] == 61


def test_clinical_values_that_mean_nothing_are_told_before_a_file_is_read() -> None:
    with pytest.raises(KnobError) as caught:
        read_patients("no such folder", clinical={"age": "sixty", "resection": "partial"})
    assert [problem.where for problem in caught.value.problems] == ["--age", "--resection"]


def test_a_table_may_be_completed_but_not_contradicted(tmp_path: Path, write_patient: Writer) -> None:
    write_patient(tmp_path / "BraTS20_Training_001")
    table = tmp_path / "survival_info.csv"
    table.write_text("Brats20ID,Age,Survival_days,Extent_of_Resection\nBraTS20_Training_001,60.5,NA,NA\n")
    (record,) = read_patients(tmp_path, clinical={"age": 60.5, "resection": "STR"})
    assert (record["age"], record["resection"]) == (60.5, "STR")
    with pytest.raises(KnobError, match=r"--age: 61\.0 was given, but the data set says 60\.5"):
        read_patients(tmp_path, clinical={"age": 61})


def test_who_is_not_yet_predicted(tmp_path: Path) -> None:
    first = {"subject": "A", "source": "files", "flair": Path("A.nii"), "t1": None, "age": 3.0, "resection": "GTR"}
    second = {"subject": "B", "scan": "B-2", "flair": "B.nii", "seg": "m.nii", "mask_values": [1, 2, 4], "grade": "HGG"}
    item = {"subject": "A", "flair": "A.nii", "age": 3.0, "resection": "GTR"}
    other = {**second, "age": None, "resection": None}
    del other["grade"]
    records = [first, second]
    assert not_yet_predicted(records, tmp_path) == [item, other]
    (tmp_path / "predictions.csv").write_text("subject,scan,predicted\nA,,LGG\nB,B-1,HGG\n")
    with pytest.raises(OutputError, match=r"predictions\.csv: predictions of 1 patients are there already"):
        not_yet_predicted(records, tmp_path)
    assert not_yet_predicted(records, tmp_path, resume=True) == [other]
    assert not_yet_predicted(records, tmp_path, overwrite=True) == [item, other]
    assert not_yet_predicted([second], tmp_path) == [other]


@pytest.mark.parametrize("content", [b"name,class\nA,LGG\n", b"\xff\xfe\x00\x01"])
def test_a_table_of_another_program_is_not_written_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "predictions.csv").write_bytes(content)
    with pytest.raises(OutputError, match="no table of predictions of this suite"):
        not_yet_predicted([{"subject": "A"}], tmp_path, resume=True)
    assert not_yet_predicted([{"subject": "A"}], tmp_path, overwrite=True)


def test_scans_are_told_apart_and_keep_their_labels(tmp_path: Path) -> None:
    scans = [f"BraTS-GLI-00005-00{number}" for number in (0, 1)]
    records = [
        {"subject": "BraTS-GLI-00005", "scan": scan, "flair": f"{scan}.nii", "mask_values": [1, 2, 3]} for scan in scans
    ]
    assert still_to_do(records, tmp_path) == records
    (tmp_path / f"{scans[0]}_seg.nii.gz").touch()
    with pytest.raises(OutputError, match="results of 1 patients are there already"):
        still_to_do(records, tmp_path)
    (tmp_path / "volumes.csv").write_text(f"subject,scan\nBraTS-GLI-00005,{scans[0]}\n")
    assert [item["scan"] for item in still_to_do(records, tmp_path, resume=True)] == [scans[1]]


def test_files_named_as_in_2023_have_its_subject_scan_and_labels() -> None:
    folder = "/x/BraTS-GLI-00005-001"
    (record,) = read_patients(files={"t1ce": f"{folder}/BraTS-GLI-00005-001-t1c.nii.gz"})
    names = {key: record[key] for key in ("subject", "scan", "mask_values")}
    assert names == {"subject": "BraTS-GLI-00005", "scan": "BraTS-GLI-00005-001", "mask_values": [1, 2, 3]}
    (record,) = read_patients(files={"subject": "Ada", "t1ce": f"{folder}/BraTS-GLI-00005-001-t1c.nii.gz"})
    assert (record["subject"], record.get("scan"), record["mask_values"]) == ("Ada", None, [1, 2, 3])


@pytest.mark.parametrize("subject", ["../../escaped", "x" * 300, ".."])
def test_a_subject_that_cannot_name_a_file(subject: str) -> None:
    with pytest.raises(KnobError, match=r"--subject: the subject .* Files are named by it"):
        read_patients(files={"flair": "a.nii.gz", "subject": subject})
    with pytest.raises(KnobError, match="--subject: the subject"):
        read_series_cohort(folders={"flair": "a", "subject": subject})
    with pytest.raises(KnobError, match="--subject: the subject"):
        read_volume_cohort(volumes={"t1ce": "a.nii.gz", "subject": subject})


def test_a_files_name_that_is_too_long_for_an_id() -> None:
    with pytest.raises(KnobError, match=r"the subject .x+.… has 200 bytes"):
        read_patients(files={"flair": f"/data/{'x' * 200}_flair.nii.gz"})


@pytest.mark.parametrize(
    ("values", "told"), [([1, 2, 4], "names no seg"), ([1, 2, 3, 4], "cavity")], ids=["no mask", "a mask with a cavity"]
)
def test_masks_alone_are_read_and_a_patient_without_one_is_named(
    tmp_path: Path, write_patient: Writer, values: list[int], told: str
) -> None:
    write_patient(tmp_path / "p01")
    mask = str(next((tmp_path / "p01").glob("*seg*")))
    row = {"subject": "p01", "seg": mask} if told == "cavity" else {"subject": "p01", "age": 50}
    datalist = tmp_path / "list.json"
    datalist.write_text(json.dumps({"mask_values": values, "training": [row]}))
    with pytest.raises(DatasetError, match=told):
        read_patients(datalist=datalist, modalities=[])


@pytest.mark.parametrize(("ask", "table"), [(not_yet_predicted, "predictions.csv"), (still_to_do, "volumes.csv")])
def test_a_table_is_of_one_network(tmp_path: Path, ask: Callable[..., Any], table: str) -> None:
    """A and B were done with the first weights; an interrupted overwriting by the second keeps none of them."""
    records = [{"subject": name, "flair": f"{name}.nii"} for name in "ABC"]
    ask(records, tmp_path, weights="first")
    (tmp_path / table).write_text("subject,file\nA,a\nB,b\n")
    for name in "AB":
        (tmp_path / f"{name}_seg.nii.gz").touch()
    for words in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(OutputError, match=rf"{table}: rows of . patients were made with other weights"):
            ask(records[1:], tmp_path, weights="second", **words)
    with pytest.raises(OutputError, match="rows of 2 patients were made with other weights"):
        ask(records[2:], tmp_path, weights="second")
    assert [item["subject"] for item in ask(records, tmp_path, resume=True, weights="first")] == ["C"]
    assert len(ask(records, tmp_path, overwrite=True, weights="second")) == 3
    assert len(ask(records, tmp_path, resume=True, weights="second")) == 3


def test_rows_of_a_version_that_recorded_no_weights_are_kept(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("subject,predicted\nA,LGG\n")
    records = [{"subject": name, "flair": f"{name}.nii"} for name in "AB"]
    for weights in ("first", "second"):
        assert len(not_yet_predicted(records, tmp_path, resume=True, weights=weights)) == 1
        assert len(not_yet_predicted(records[1:], tmp_path, overwrite=True, weights=weights)) == 1
    assert (tmp_path / "predictions.csv").exists()
