from __future__ import annotations

import csv
from pathlib import Path

import pytest

from common.audit.comparison import Audit, audit_split
from common.audit.page import COLUMNS, write_audit
from common.audit.readers.folders import read_folders
from common.audit.split import Case, Division, Split
from common.audit.summary import describe


def audit_folds(*sides: tuple[list[str], list[str]]) -> Audit:
    """By ids, a fold for each train and validation side."""
    cases = {name: Case(name) for pair in sides for side in pair for name in side}
    folds = tuple(
        Division(f"fold {number}", {"train": tuple(train), "validation": tuple(validation)})
        for number, (train, validation) in enumerate(sides)
    )
    return audit_split(Split("by hand", Path("x"), cases, folds), ids_only=True)


def test_pairs_stand_side_by_side_with_their_pictures(tmp_path, write_volume, write_image):
    write_volume(tmp_path / "data/train/a.nii.gz")
    write_volume(tmp_path / "data/test/b.nii.gz").write_bytes((tmp_path / "data/train/a.nii.gz").read_bytes())
    write_image(tmp_path / "data/train/c.png")
    write_image(tmp_path / "data/test/d.png").write_bytes((tmp_path / "data/train/c.png").read_bytes())
    page, table = write_audit(audit_split(read_folders(tmp_path / "data")), tmp_path / "out")
    html = page.read_text()
    assert html.count("data:image/jpeg;base64,") == 4
    assert "http" not in html  # nothing is fetched
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert {(row["case"], row["counterpart"], row["kind"]) for row in rows} == {
        ("test/b", "train/a", "the same file"),
        ("test/d.png", "train/c.png", "the same file"),
    }


def test_ids_are_escaped(tmp_path):
    name = "<script>alert(1)</script>"
    page, _ = write_audit(audit_folds(([name], [name])), tmp_path)
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_pages_without_a_leak_and_without_pictures(tmp_path):
    page, table = write_audit(audit_folds((["a"], ["b"])), tmp_path)
    assert "No leak was found" in page.read_text()
    assert "<img" not in page.read_text()
    assert len(table.read_text().splitlines()) == 1


def test_the_text_sums_up_the_folds():
    text = describe(audit_folds((["a", "b"], ["c", "d"]), (["a", "c"], ["a", "b"]), (["d"], ["a", "d"])))
    assert "3 folds: 2 leak; 2 of 6 (33.3%) of what is validated is touched" in text
    assert "fold 0: train and validation (2, 2): no case of validation" in text
    assert "no test side" in text
    assert "no image was read" in text


@pytest.mark.parametrize("leaks", [True, False])
def test_the_text_ends_with_the_verdict(leaks):
    last = describe(audit_folds((["a"], ["a" if leaks else "b"]))).splitlines()[-1]
    assert last.startswith("It leaks" if leaks else "No leak")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("a", "b", "the patient of no case"), ("sub-1", "b", "the patient of 1 of 2 cases only"), ("sub-1", "sub-2", "")],
)
def test_the_verdict_tells_whose_patient_is_not_known(first, second, told):
    last = describe(audit_folds(([first], [second]))).splitlines()[-1]
    assert last == (f"No leak was found by ids; {told} is known." if told else "No leak was found.")
