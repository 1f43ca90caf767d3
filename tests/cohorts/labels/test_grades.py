from __future__ import annotations

import logging
from pathlib import Path

import pytest

from common.cohorts.datasets.brats import read_brats
from common.cohorts.labels.grades import grade_cohort
from common.errors import DatasetError


def cohort(**grades: str | None) -> list[dict[str, str | None]]:
    return [{"subject": subject, "grade": grade} for subject, grade in grades.items()]


def test_grades_become_labels_and_the_log_counts_the_others(caplog: pytest.LogCaptureFixture) -> None:
    records = cohort(a="HGG", b=None, c="LGG", d="HGG")
    with caplog.at_level(logging.INFO):
        labelled = grade_cohort(records)
    assert [(record["subject"], record["label"]) for record in labelled] == [("a", 1), ("c", 0), ("d", 1)]
    assert "1 of 4 patients are left out: no grade is recorded" in caplog.text
    assert not any("label" in record for record in records)


def test_a_cohort_that_is_complete_leaves_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        grade_cohort(cohort(a="HGG", b="LGG"))
    assert caplog.text == ""


def test_no_grade_at_all_and_one_grade_only() -> None:
    with pytest.raises(DatasetError, match=r"LGG or HGG \(LGG 0, HGG 0, 2 without a grade\).*name_mapping\.csv"):
        grade_cohort(cohort(a=None, b=None))
    with pytest.raises(DatasetError, match=r"no patient is LGG \(LGG 0, HGG 2, 1 without a grade\)"):
        grade_cohort(cohort(a="HGG", b="HGG", c=None))


def test_phantoms_have_both_grades(phantom_dir: Path) -> None:
    labels = [record["label"] for record in grade_cohort(read_brats(phantom_dir))]
    assert len(labels) == 8
    assert set(labels) == {0, 1}


def test_the_log_counts_patients_not_scans(caplog: pytest.LogCaptureFixture) -> None:
    scans = [{"subject": "c", "scan": f"c-{number}", "grade": None} for number in range(3)]
    with caplog.at_level(logging.INFO):
        grade_cohort([*cohort(a="HGG", b="LGG"), *scans])
    assert "1 of 3 patients are left out" in caplog.text
