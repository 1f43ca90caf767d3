from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.labels.classes import check_classes, label_recorded
from common.cohorts.labels.grades import grade_cohort
from common.errors import DatasetError
from common.splits import resolve_split, side_records


def cohort(**grades: str | None) -> list[dict[str, str | None]]:
    return [{"subject": subject, "grade": grade} for subject, grade in grades.items()]


def test_a_class_that_a_side_lacks_is_named_with_the_counts_of_all() -> None:
    records = [{"subject": str(number), "label": 1} for number in range(3)]
    with pytest.raises(DatasetError, match=r"training side.*no patient is LGG \(LGG 0, HGG 3\).*fewer --folds"):
        check_classes(records, ("LGG", "HGG"))
    check_classes([*records, {"subject": "x", "label": 0}], ("LGG", "HGG"))


def test_any_recorded_value_can_be_the_class(caplog: pytest.LogCaptureFixture) -> None:
    records = [{"subject": name, "resection": value} for name, value in (("a", "STR"), ("b", None), ("c", "GTR"))]
    with caplog.at_level("INFO"):
        labelled = label_recorded(records, "resection", ("GTR", "STR"))
    assert [(record["subject"], record["label"]) for record in labelled] == [("a", 1), ("c", 0)]
    assert "1 of 3 patients are left out: no resection is recorded" in caplog.text
    with pytest.raises(DatasetError, match=r"GTR \(GTR 0, STR 1, 1 without a resection\).*column resection"):
        label_recorded(records[:2], "resection", ("GTR", "STR"))


def test_fewer_patients_of_a_class_than_folds_end_in_one_message(tmp_path: Path) -> None:
    """One LGG patient among ten is tested in one of five folds and validates in another: the rest can be trained."""
    records = grade_cohort(cohort(**{f"P{number}": "HGG" for number in range(9)}, P9="LGG"))
    refused = 0
    for fold in range(5):
        split = resolve_split(records, tmp_path / str(fold), fold=fold, folds=5)
        try:
            check_classes(side_records(records, split, "train"), ("LGG", "HGG"))
        except DatasetError as error:
            assert "no patient is LGG (LGG 0, HGG 6)" in str(error)
            refused += 1
    assert refused == 2
