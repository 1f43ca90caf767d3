from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.audit.readers.rows import Places, Row, make_split
from common.audit.split import Split
from common.errors import DatasetError


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for file in ("img/a.png", "img/b.nii.gz", "img/b_seg.nii.gz", "series/1.dcm", "series/2.dcm"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def read(base: Path, *rows: tuple[dict[str, Any], str], search: bool = False) -> Split:
    return make_split("a list", base / "list.json", [Row(*row) for row in rows], Places(base, search))


@pytest.mark.parametrize(
    ("values", "name", "patient", "files", "by_id"),
    [
        ({"image": "img/a.png"}, "img/a.png", None, ["img/a.png"], False),
        ({"image": "./img/a.png"}, "img/a.png", None, ["img/a.png"], False),
        ({"id": 7, "image": "img/a.png"}, "7", None, ["img/a.png"], True),
        ({"patient_id": "p", "image": "img/a.png"}, "img/a.png", "p", ["img/a.png"], False),
        ({"subject": "p"}, "p", "p", [], True),
        ({"image": "img/a.png", "patient id": "p"}, "img/a.png", "p", ["img/a.png"], False),
        ({"image": "img/a.png", "patient-id": "p"}, "img/a.png", "p", ["img/a.png"], False),
        ({"id": "0", "brats20id": "p"}, "0", "p", [], True),
        ({"id": "0", "brats_2020_subject_id": "p"}, "0", "p", [], True),
        ({"image": "img/b.nii.gz", "seg": "img/b_seg.nii.gz"}, "img/b.nii.gz", None, ["img/b.nii.gz"], False),
        ({"image": ["img/a.png", "img/b.nii.gz"]}, "img/a.png", None, ["img/a.png", "img/b.nii.gz"], False),
        ({"image": "gone.png"}, "gone.png", None, ["gone.png"], False),
    ],
)
def test_what_a_row_says(
    base: Path, values: dict[str, Any], name: str, patient: str | None, files: list[str], by_id: bool
) -> None:
    split = read(base, (values, "train"))
    case = split.cases[name]
    assert (case.patient, case.by_id) == (patient, by_id)
    assert list(case.files) == [str(base / file) for file in files]
    (division,) = split.divisions
    assert division.sides == {"train": (name,)}


def test_ids_are_looked_for_below_the_folder_where_that_is_asked(base: Path) -> None:
    assert read(base, ({"": "a"}, "train")).cases["a"].files == ()
    assert read(base, ({"": "a"}, "train"), search=True).cases["a"].files == (str(base / "img" / "a.png"),)


def test_rows_of_one_id_are_one_case_with_all_files(base: Path) -> None:
    rows = [({"id": "c", "image": file}, "train") for file in ("img/a.png", "img/b.nii.gz", "img/a.png")]
    split = read(base, *rows)
    assert split.cases["c"].files == (str(base / "img" / "a.png"), str(base / "img" / "b.nii.gz"))
    assert [remark for remark in split.remarks if "more than once" in remark and "c" in remark]
    assert read(base, *rows[:2]).remarks == ()


def test_an_id_that_several_patients_have_is_told_apart(base: Path) -> None:
    split = read(base, ({"patient": "p", "id": "1"}, "train"), ({"patient": "q", "id": "1"}, "test"))
    assert {name: case.patient for name, case in split.cases.items()} == {"p/1": "p", "q/1": "q"}


def test_all_rows_that_name_nothing_are_told_at_once(base: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read(
            base, ({"age": 61}, "train"), ({"id": "a"}, "train"), ({}, "test"), ({"label": "img/b_seg.nii.gz"}, "test")
        )
    assert [str(problem.where).rpartition(" ")[2] for problem in caught.value.problems] == ["1", "3", "4"]
