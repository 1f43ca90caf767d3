from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from common.records import MODALITIES
from common.reports.checkups.volumes import Request, check_patients, check_people
from tests.leaks.scans import MOVES, scaled, write_scan


def write_list(folder: Path, *records: dict[str, Any]) -> str:
    kept = ("subject", "scan", "seg", "grade", *MODALITIES)
    entries = [{key: record[key] for key in kept if key in record} for record in records]
    path = folder / "list.json"
    path.write_text(json.dumps({"training": entries}))
    return str(path)


def test_the_same_scan_under_two_subjects_is_a_problem(tmp_path: Path) -> None:
    first, other, again = (write_scan(tmp_path, *scan) for scan in (("a", 1), ("b", 2), ("c", 1, scaled)))
    for check in (check_patients, check_people):
        (problem,) = check(Request(datalist=write_list(tmp_path, first, other, again))).problems
        assert "these two are the same scan: a and c" in problem.what
        longitudinal = {**again, "subject": "a", "scan": "later"}
        assert not check(Request(datalist=write_list(tmp_path, first, other, longitudinal))).problems


def test_what_may_be_right_is_told(tmp_path: Path) -> None:
    first, moved = write_scan(tmp_path, "a", 1), write_scan(tmp_path, "b", 1, MOVES["mirrored"])
    shutil.copy(first["t1"], first["t1ce"])
    checkup = check_patients(Request(datalist=write_list(tmp_path, first, moved)))
    assert not checkup.problems
    doubts = next(section for section in checkup.sections if section.startswith("What may be wrong"))
    assert "t1 and t1ce of a hold the same voxels" in doubts
    assert "mirrored copy: flair of a and flair of b" in doubts
    assert "What may be wrong" in checkup.text("there")


def test_with_headers_only_the_voxels_of_one_patient_are_looked_at(tmp_path: Path) -> None:
    record = write_scan(tmp_path, "a", 1)
    shutil.copy(record["t1"], record["t1ce"])
    listed = write_list(tmp_path, write_scan(tmp_path, "0", 2), record)
    assert "What may be wrong" not in check_patients(Request(datalist=listed, headers_only=True)).text("there")
