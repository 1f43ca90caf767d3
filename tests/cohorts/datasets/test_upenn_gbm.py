from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.cohorts import read_cohort, survival_cohort
from common.cohorts.datasets.registry import find_data_set
from common.cohorts.datasets.upenn_gbm import TABLE
from common.errors import DatasetError, KnobError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.upenn_gbm import UPENN_GBM
from common.records import MODALITIES

HEADER = (
    "ID,Gender,Age_at_scan_years,Survival_from_surgery_days_UPDATED,Survival_Status,Survival_Censor,IDH1,MGMT,KPS,"
    "GTR_over90percent,Time_since_baseline_preop,PsP_TP_score"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four patients; the masks of the first and the last were corrected by an expert."""
    return make_brats_phantoms(tmp_path / "data", patients=4, shape=(32, 32, 24), layout=UPENN_GBM)


def copy_scan(root: Path, place: str, name: str) -> None:
    """A copy of the first scan in another folder, or under another name."""
    source = root / "NIfTI-files" / "images_structural" / "UPENN-GBM-00001_11"
    target = root / "NIfTI-files" / place / name
    shutil.copytree(source, target)
    for path in target.iterdir():
        path.rename(path.with_name(path.name.replace(source.name, name)))


def test_a_patient_has_four_images_and_the_better_mask(root: Path) -> None:
    found = find_data_set(root.parent)
    assert found is not None
    assert found.name == "upenn_gbm"
    records = read_cohort(root)
    assert [record["subject"] for record in records] == [f"UPENN-GBM-0000{number}" for number in (1, 2, 3, 4)]
    assert [record["scan"] for record in records] == [f"UPENN-GBM-0000{number}_11" for number in (1, 2, 3, 4)]
    assert [Path(str(record["seg"])).parent.name for record in records] == [
        "images_segm",
        "automated_segm",
        "automated_segm",
        "images_segm",
    ]
    first = records[0]
    assert (first["source"], first["grade"], first["mask_values"]) == ("upenn_gbm", "HGG", [1, 2, 4])
    ends = [Path(first[name]).name.rpartition("_")[2] for name in MODALITIES]
    assert ends == ["FLAIR.nii.gz", "T1.nii.gz", "T1GD.nii.gz", "T2.nii.gz"]
    assert set(np.unique(np.asarray(nib.load(first["seg"]).dataobj))) <= {0, 1, 2, 4}


def test_the_table_tells_age_survival_and_resection(root: Path) -> None:
    rows = [
        "UPENN-GBM-00001_11,M,61.2,405,Deceased,Not Available,Wildtype,Indeterminate,90,Y,Not Applicable,Not Available",
        "UPENN-GBM-00002_11,F,50.0,Not Available,Alive,1200,NOS/NEC,Methylated,Not Available,N,Not Applicable,",
        "UPENN-GBM-00003_11,F,70,Not Available,Deceased - uncertain date of death,33,Wildtype,,,Not Available,,",
    ]
    (root / TABLE).write_text("\n".join([HEADER, *rows]))
    told = [
        tuple(record[key] for key in ("age", "survival_days", "alive", "resection")) for record in read_cohort(root)
    ]
    assert told == [
        (61.2, 405, False, "GTR"),
        (50, 1200, True, "STR"),
        (70, 33, True, None),
        (None, None, False, None),
    ]


def test_the_table_may_lie_beside_or_be_absent(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = root / "NIfTI-files"
    assert [record["age"] for record in read_cohort(images)] == [record["age"] for record in read_cohort(root)]
    assert read_cohort(images)[0]["age"]
    (root / TABLE).unlink()
    assert [record["age"] for record in read_cohort(root)] == [None] * 4
    assert TABLE in caplog.text


def test_what_the_table_cannot_mean_is_told(root: Path) -> None:
    row = "UPENN-GBM-00001_11,M,old,405,Deceased,Not Available,Wildtype,,90,perhaps,,"
    (root / TABLE).write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(DatasetError) as error:
        read_cohort(root)
    lines = [str(problem) for problem in error.value.problems]
    assert len(lines) == 2
    assert all("line 2" in line for line in lines)
    assert any("Age_at_scan_years: 'old'" in line for line in lines)
    (root / TABLE).write_text("ID,Age_at_scan_years\n")
    with pytest.raises(DatasetError, match=r"has no column .*Survival_Censor"):
        read_cohort(root)


def row_of(patient: str, age: float) -> str:
    return f"{patient},M,{age},405,Deceased,Not Available,Wildtype,,90,Y,,"


@pytest.mark.parametrize("place", ["", "old/"])
def test_rows_that_contradict_each_other(root: Path, place: str) -> None:
    first, second = row_of("UPENN-GBM-00001_11", 60), row_of("UPENN-GBM-00001_11", 70)
    (root / "old").mkdir()
    for table, rows in ({TABLE: [first], f"old/{TABLE}": [second]} if place else {TABLE: [first, second]}).items():
        (root / table).write_text("\n".join([HEADER, *rows, ""]))
    with pytest.raises(DatasetError, match=r"age is \d0.0, but \d0.0 in another row or table") as caught:
        read_cohort(root)
    assert len(caught.value.problems) == 1
    for path in root.rglob(TABLE):
        path.write_text(f"{HEADER}\n{first}\n{first}\n")
    assert read_cohort(root)[0]["age"] == 60


@pytest.mark.parametrize("named", ["UPENN-GBM-99999_11", "UPENN-GBM-00001"])
def test_a_table_of_nobody_here(root: Path, caplog: pytest.LogCaptureFixture, named: str) -> None:
    (root / TABLE).write_text(f"{HEADER}\n{row_of(named, 60)}\n")
    assert [record["age"] for record in read_cohort(root)] == [None] * 4
    assert "names none of the 4" in caplog.text
    assert named.lower() in caplog.text


def test_a_faulty_row_is_told_with_what_else_is_wrong(root: Path) -> None:
    (root / TABLE).write_text(f"{HEADER}\n{row_of('UPENN-GBM-00001_11', 60)},more\n")
    next(root.rglob("UPENN-GBM-00003_11_T1GD.nii.gz")).unlink()
    with pytest.raises(DatasetError) as caught:
        read_cohort(root)
    told = sorted(problem.what for problem in caught.value.problems)
    assert [what[:8] for what in told] == ["has more", "has no t"]


def test_recurrences_and_other_images_are_left_out(root: Path) -> None:
    before = read_cohort(root)
    copy_scan(root, "images_structural", "UPENN-GBM-00001_21")
    copy_scan(root, "images_structural_unstripped", "UPENN-GBM-00001_11")
    copy_scan(root, "images_structural/UPENN-GBM-00001_11/old", "UPENN-GBM-00001_11")
    assert read_cohort(root) == before


def test_what_is_not_there_is_told(root: Path) -> None:
    (root / "NIfTI-files" / "automated_segm" / "UPENN-GBM-00002_11_automated_approx_segm.nii.gz").unlink()
    next(root.rglob("UPENN-GBM-00003_11_T1GD.nii.gz")).unlink()
    with pytest.raises(DatasetError) as error:
        read_cohort(root)
    assert len(error.value.problems) == 2
    assert len(read_cohort(root, exclude="UPENN-GBM-00002,UPENN-GBM-00003_11")) == 2
    assert "seg" not in read_cohort(root, need_seg=False, exclude="UPENN-GBM-00003")[1]
    with pytest.raises(KnobError, match="Did you mean UPENN-GBM-0000"):
        read_cohort(root, exclude="UPENN-GBM-00009")
    shutil.rmtree(root / "NIfTI-files" / "images_structural")
    copy_scan_target = root / "NIfTI-files" / "images_DSC" / "UPENN-GBM-00001_11"
    copy_scan_target.mkdir(parents=True)
    with pytest.raises(DatasetError, match="images_structural/UPENN-GBM-00001_11 were looked for"):
        read_cohort(root)


def test_survival_has_a_cohort(root: Path) -> None:
    assert survival_cohort(read_cohort(root, need_seg=False))
