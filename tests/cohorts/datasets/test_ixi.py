from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from common.cohorts import read_ixi
from common.cohorts.datasets.data_set import Wanted
from common.cohorts.datasets.ixi import name_of_file, scan_ixi
from common.errors import DatasetError, KnobError

Writer = Callable[..., Path]


def test_both_spellings_of_a_name_in_any_folder(write_volume: Writer, tmp_path: Path) -> None:
    write_volume(tmp_path / "IXI-T1" / "IXI012-HH-1211-T1.nii.gz")
    write_volume(tmp_path / "more" / "deeper" / "IXI034-HH-1260_T1.nii")
    write_volume(tmp_path / "ixi002-guys-0828-t1.nii.gz")
    records = read_ixi(tmp_path, ["t1ce"])
    assert [record["subject"] for record in records] == ["IXI002-Guys-0828", "IXI012-HH-1211", "IXI034-HH-1260"]
    assert records[1] == {
        "subject": "IXI012-HH-1211",
        "t1ce": str(tmp_path / "IXI-T1" / "IXI012-HH-1211-T1.nii.gz"),
        "source": "ixi",
        "mask_values": [1, 2, 4],
        "grade": "healthy",
        "age": None,
        "survival_days": None,
        "alive": False,
        "resection": None,
    }


def test_each_modality_has_its_sequence(write_volume: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = {name: str(write_volume(tmp_path / f"IXI012-HH-1211-{name}.nii.gz")) for name in ("T1", "T2")}
    with caplog.at_level(logging.WARNING):
        (record,) = read_ixi(tmp_path, ["t1", "t2"])
    assert (record["t1"], record["t2"], caplog.text) == (paths["T1"], paths["T2"], "")
    with caplog.at_level(logging.WARNING):
        (record,) = read_ixi(tmp_path, ["t1ce", "t1"])
    assert record["t1ce"] == record["t1"] == paths["T1"]
    assert "T1 stands for 2 channels" in caplog.text


def test_what_ixi_has_not_is_refused_in_one_message(write_volume: Writer, tmp_path: Path) -> None:
    write_volume(tmp_path / "IXI012-HH-1211-T1.nii.gz")
    with pytest.raises(KnobError, match="--modalities: IXI has no flair") as error:
        read_ixi(tmp_path, ["t1ce", "flair"])
    assert len(error.value.problems) == 1


def test_a_mask_beside_a_volume_is_no_volume_and_other_files_are_told(
    write_volume: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_volume(tmp_path / "IXI012-HH-1211_T1.nii.gz")
    mask = write_volume(tmp_path / "IXI012-HH-1211_T1_DLMUSE.nii.gz")
    for name in ("IXI.xls", "IXI012-HH-1211-MRA.nii.gz", "IXI-T1.tar", ".hidden", *(f"{n}.txt" for n in range(4))):
        (tmp_path / name).touch()
    with caplog.at_level(logging.INFO):
        (record,) = read_ixi(tmp_path)
    assert record["brain_mask"] == str(mask)
    assert "0.txt, 1.txt, 2.txt, 3.txt, IXI-T1.tar and 2 more" in caplog.text
    assert "DLMUSE" not in caplog.text


def test_two_scans_of_a_person_are_one_subject(write_volume: Writer, tmp_path: Path) -> None:
    for name in ("IXI012-HH-1211", "IXI012-Guys-0700", "IXI013-HH-1212"):
        write_volume(tmp_path / f"{name}-T1.nii.gz")
    first, second, other = read_ixi(tmp_path)
    assert first["subject"] == second["subject"] == "IXI012-Guys-0700"
    assert (first["scan"], second["scan"]) == ("IXI012-Guys-0700", "IXI012-HH-1211")
    assert "scan" not in other
    assert [record["subject"] for record in scan_ixi(tmp_path, Wanted(["IXI012-Guys-0700"], ["t1"]))[0]] == [
        "IXI013-HH-1212"
    ]


def test_all_problems_at_once(write_volume: Writer, tmp_path: Path) -> None:
    write_volume(tmp_path / "a" / "IXI012-HH-1211-T1.nii.gz")
    write_volume(tmp_path / "b" / "IXI012-HH-1211_T1.nii.gz")
    write_volume(tmp_path / "IXI013-HH-1212-T2.nii.gz")
    write_volume(tmp_path / "IXI014-HH-1236-T1.nii.gz")
    for mask in ("_mask", "_brain_mask"):
        write_volume(tmp_path / f"IXI014-HH-1236-T1{mask}.nii.gz")
    with pytest.raises(DatasetError) as error:
        read_ixi(tmp_path)
    doubled, absent, ambiguous = map(str, error.value.problems)
    assert "the T1 of IXI012-HH-1211 is there 2 times" in doubled
    assert "IXI013-HH-1212 has no T1, but T2" in absent
    assert "several brain masks" in ambiguous
    excluded = ["IXI012-HH-1211", "IXI013-HH-1212", "IXI014-HH-1236"]
    assert scan_ixi(tmp_path, Wanted(excluded, ["t1"])) == ([], [])


@pytest.mark.parametrize("name", ["IXI-T1.tar", "brain.nii.gz", "IXI012-HH-1211-MRA.nii.gz"])
def test_a_folder_without_any(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=r"no volume of IXI is in it; it holds .*unpacked"):
        read_ixi(tmp_path)
    with pytest.raises(DatasetError, match="is a file, not a folder"):
        read_ixi(tmp_path / name)
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_ixi(tmp_path / "nowhere")


def test_a_misspelt_name_is_refused(write_volume: Writer, tmp_path: Path) -> None:
    write_volume(tmp_path / "IXI012-HH-1211-T1.nii.gz")
    with pytest.raises(KnobError, match="Did you mean IXI012-HH-1211"):
        scan_ixi(tmp_path, Wanted(["IXI012-HH-1212"], ["t1"]))


def test_the_name_of_a_file() -> None:
    assert name_of_file("/x/ixi012-IOP-1211_t2.nii") == "IXI012-IOP-1211"
    assert name_of_file("IXI012-HH-1211-T1_mask.nii.gz") is None
