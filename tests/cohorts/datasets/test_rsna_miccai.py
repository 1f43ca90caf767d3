from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from common.cohorts.datasets.data_set import Wanted
from common.cohorts.datasets.rsna_miccai import KNOWN_BAD, SERIES_FOLDERS, read_rsna_miccai, scan_rsna_miccai
from common.cohorts.inference_series import read_series_cohort
from common.errors import DatasetError, KnobError

Patients = Callable[..., Path]


@pytest.fixture
def write_patients(tmp_path: Path) -> Patients:
    """Empty files: the reader looks at names only."""

    def write(
        names: Iterable[str] = ("00000", "00002", "00012"),
        side: str = "train",
        labels: str | None = "00000,1\n00002,0\n00012,1\n",
        file: str = "Image-1.dcm",
    ) -> Path:
        for name in names:
            for series in SERIES_FOLDERS.values():
                path = tmp_path / side / name / series / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        if labels is not None:
            (tmp_path / "train_labels.csv").write_text("BraTS21ID,MGMT_value\n" + labels)
        return tmp_path

    return write


def told(root: Path, **knobs: object) -> str:
    with pytest.raises(DatasetError) as error:
        read_rsna_miccai(root, **knobs)
    return str(error.value)


def test_a_record_a_patient(write_patients: Patients) -> None:
    root = write_patients()
    records = read_rsna_miccai(root)
    assert records[1] == {
        "subject": "00002",
        "source": "rsna_miccai",
        "flair": str(root / "train" / "00002" / "FLAIR"),
        "t1": str(root / "train" / "00002" / "T1w"),
        "t1ce": str(root / "train" / "00002" / "T1wCE"),
        "t2": str(root / "train" / "00002" / "T2w"),
        "mgmt": 0,
        "label": 0,
    }
    assert [(record["subject"], record["mgmt"]) for record in records] == [("00000", 1), ("00002", 0), ("00012", 1)]


def test_leading_zeros_that_a_spreadsheet_dropped(write_patients: Patients) -> None:
    records = read_rsna_miccai(write_patients(labels="0,1\r\n2,0\r\n12,1\r\n"))
    assert [record["label"] for record in records] == [1, 0, 1]


def test_the_folder_of_the_training_side_or_of_one_patient(write_patients: Patients) -> None:
    root = write_patients()
    assert len(read_rsna_miccai(root / "train")) == 3
    (record,) = read_rsna_miccai(root / "train" / "00002")
    assert (record["subject"], record["label"]) == ("00002", 0)


def test_known_bad_patients_are_left_out_by_name_and_told(
    write_patients: Patients, caplog: pytest.LogCaptureFixture
) -> None:
    assert KNOWN_BAD == ("00109", "00123", "00709")
    root = write_patients(names=("00000", "00123"), labels="00000,1\n00123,0\n")
    with caplog.at_level(logging.INFO):
        assert [record["subject"] for record in read_rsna_miccai(root)] == ["00000"]
    assert "00123" in caplog.text
    assert "00109" not in caplog.text


def test_the_test_side_is_read_without_labels_only(write_patients: Patients, caplog: pytest.LogCaptureFixture) -> None:
    write_patients()
    root = write_patients(names=("00001", "00013"), side="test", labels=None)
    with caplog.at_level(logging.INFO):
        assert len(read_rsna_miccai(root)) == 3
    assert "2 patients of the test side have no label" in caplog.text
    records = read_rsna_miccai(root, need_label=False)
    assert [(record["subject"], record["label"]) for record in records][1] == ("00001", None)
    assert len(records) == 5


def test_exported_images_in_the_same_layout(write_patients: Patients) -> None:
    records = read_rsna_miccai(write_patients(file="Image-1.png"))
    assert [(record["subject"], record["label"]) for record in records] == [("00000", 1), ("00002", 0), ("00012", 1)]


def test_everything_that_is_wrong_is_told_at_once(write_patients: Patients) -> None:
    root = write_patients(names=("00000", "00002", "00003"), labels="00000,2\n00002,0\n00009,1\n")
    (root / "train" / "00000" / "FLAIR" / "Image-1.dcm").unlink()
    (root / "train" / "00002" / "T2w" / "Image-1.dcm").unlink()
    (root / "train" / "00002" / "T2w").rmdir()
    message = told(root)
    for expected in (
        "'2' is not 1 (methylated) or 0",
        "FLAIR: holds no slice",
        "00002: has no folder T2w",
        "patient 00003 has no MGMT_value",
        "patient 00000 has no MGMT_value",
    ):
        assert expected in message
    assert "T2w" not in told(root, modalities=["flair"])
    records, _ = scan_rsna_miccai(root, Wanted(modalities=["flair", "t2"], need_all=False))
    assert [record["subject"] for record in records] == ["00002"]


def test_labels_that_are_not_there_or_contradict(write_patients: Patients) -> None:
    root = write_patients(labels=None)
    assert "train_labels.csv is not there" in told(root)
    assert len(read_rsna_miccai(root, need_label=False)) == 3
    write_patients(labels="00000,1\n0,0\n00002,0\n00012,1\n")
    assert "00000 is listed twice" in told(root)
    write_patients(labels="00000,1\n00000,0\n00002,0\n00012,1\n")
    assert "mgmt is 0, but 1 in another row" in told(root)


def test_no_patient_at_all(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert "no patient of RSNA-MICCAI is in it; it holds other" in told(tmp_path)
    assert "no such folder" in told(tmp_path / "none")


def test_leaving_out(write_patients: Patients) -> None:
    root = write_patients()
    assert len(read_series_cohort(root, exclude="00002, 00000")) == 1
    with pytest.raises(KnobError, match="00004"):
        read_series_cohort(root, exclude="00004")
    with pytest.raises(DatasetError, match="no patient is left"):
        read_series_cohort(root, exclude="00000,00002,00012")


@pytest.mark.parametrize("column", ["mgmt", "MGMT_value", "label"])
def test_a_list_of_series(write_patients: Patients, column: str) -> None:
    root = write_patients()
    path = root / "list.csv"
    path.write_text(f"subject,flair,{column}\np1,train/00000/FLAIR,0\np2,train/00002/FLAIR,methylated\n")
    records = read_series_cohort(datalist=path, modalities=["flair"])
    assert [(record["subject"], record["label"]) for record in records] == [("p1", 0), ("p2", 1)]
    assert records[0]["flair"] == str(root / "train" / "00000" / "FLAIR")


def test_what_is_wrong_with_a_list_of_series(write_patients: Patients) -> None:
    root = write_patients()
    path = root / "list.json"
    entries = [
        {"subject": "p1", "flair": "train/00000/FLAIR"},
        {"subject": "p2", "flair": "train/00000/FLAIR/Image-1.dcm", "mgmt": 1},
        {"subject": "p3", "flair": "train/00002/FLAIR", "mgmt": "maybe"},
    ]
    path.write_text(json.dumps(entries))
    with pytest.raises(DatasetError) as error:
        read_series_cohort(datalist=path, modalities=["flair"])
    for expected in ("p1 has no mgmt", "Image-1.dcm does not exist", "'maybe' is not 1"):
        assert expected in str(error.value)


def test_one_patient_s_series(write_patients: Patients) -> None:
    folder = write_patients() / "train" / "00000" / "FLAIR"
    (record,) = read_series_cohort(folders={"flair": str(folder), "t1": None}, modalities=["flair"])
    assert (record["subject"], record["flair"], record["label"]) == ("FLAIR", str(folder), None)
    with pytest.raises(KnobError, match="t2 is no modality"):
        read_series_cohort(folders={"t2": str(folder)}, modalities=["flair"])
    with pytest.raises(KnobError, match="were given"):
        read_series_cohort(folder.parents[2], folders={"flair": str(folder)})
    with pytest.raises(KnobError, match="no data set is given"):
        read_series_cohort()


def test_the_real_table(write_patients: Patients, realdata: Path) -> None:
    labels = (realdata / "csv" / "rsna_miccai_train_labels.csv").read_text().partition("\n")[2]
    records = read_rsna_miccai(write_patients(names=("00000", "00002", "00003", "00109"), labels=labels))
    assert [(record["subject"], record["mgmt"]) for record in records] == [("00000", 1), ("00002", 1), ("00003", 0)]
