from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms
from common.reports.checkups.series import check_series
from common.reports.checkups.volumes import Request


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series") / "rsna"
    make_rsna_phantoms(folder, patients=3, shape=(64, 64, 16), seed=0)
    return folder


@pytest.fixture
def root(phantoms: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(phantoms, tmp_path / "rsna"))


def lines_of(text: str) -> dict[str, str]:
    return {line[2:16].strip(): line[16:] for line in text.splitlines() if line.startswith("  ")}


def test_sound_patients(root: Path) -> None:
    checkup = check_series(Request(str(root)))
    lines = lines_of(checkup.text("there"))
    assert checkup.problems == []
    assert lines["patients"] == "3 (3 RSNA-MICCAI 2021); 3 are phantoms, no patients"
    assert lines["series"] == "all of flair, t1, t1ce, t2: 3 of 3 patients"
    assert lines["stored as"] == "12 DICOM"
    assert lines["t1ce"] == "3 axial; 16 slices"
    assert lines["slice gaps"] == "none"
    assert "Shortcuts to MGMT status" in checkup.text("there")
    assert lines["size"].startswith("19.3 MB for 3 patients")  # 16 slices x 4 series x 224 x 224 x 2 bytes
    assert lines["measured on"] == "3 patients"


def test_gaps_absent_series_and_damage_are_told(root: Path) -> None:
    first, second, third = sorted((root / "train").iterdir())
    shutil.rmtree(first / "T1w")
    for number in (5, 6):
        (first / "FLAIR" / f"Image-{number}.dcm").unlink()
    (second / "T2w" / "Image-9.dcm").unlink()
    (third / "T2w" / "Image-3.dcm").write_text("nonsense")
    checkup = check_series(Request(str(root)))
    lines = lines_of(checkup.text("there"))
    assert lines["patients"].startswith("2 (")
    assert lines["series"] == "all of flair, t1, t1ce, t2: 1 of 2 patients"
    assert lines["flair"] == "2 axial; 14 to 16 slices"
    assert lines["t1"] == "1 axial; 16 slices"
    assert lines["slice gaps"] == "2 series of 2 patients, 1 to 2 missing in each"
    (problem,) = checkup.problems
    assert problem.where == str(third / "T2w" / "Image-3.dcm")


def test_pixels_of_the_first_patient_alone(root: Path) -> None:
    checkup = check_series(Request(str(root), headers_only=True))
    assert lines_of(checkup.text("there"))["measured on"] == "one patient"
    assert "pixels of the first patient were read" in checkup.text("there")


def test_labels(root: Path) -> None:
    """A table that forgets a patient is a problem, unless labels may be absent."""
    table = root / "train_labels.csv"
    header, first, *others = table.read_text().splitlines()
    table.write_text("\n".join([header, *others]))
    assert len(check_series(Request(str(root), headers_only=True)).problems) == 1
    checkup = check_series(Request(str(root), headers_only=True, unlabelled=True))
    assert checkup.problems == []
    assert "1 not recorded" in lines_of(checkup.text("there"))["MGMT status"]
    excluded = first.split(",")[0].zfill(5)
    assert check_series(Request(str(root), exclude=excluded, headers_only=True)).problems == []


def test_nobody_is_sound(root: Path) -> None:
    for patient in (root / "train").iterdir():
        shutil.rmtree(patient / "FLAIR")
        (patient / "FLAIR").mkdir()
    text = check_series(Request(str(root))).text("there")
    assert text.startswith("What is wrong: 3 problems")


def test_a_series_of_two_patients_is_a_problem(root: Path) -> None:
    first, second, _ = sorted((root / "train").iterdir())
    shutil.rmtree(second / "T2w")
    shutil.copytree(first / "T2w", second / "T2w")
    (problem,) = check_series(Request(str(root))).problems
    assert f"the same scan: {first.name} and {second.name} hold the same voxels (t2)" in problem.what
