from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from common.cohorts.datasets.brats import read_brats
from common.cohorts.labels.grades import grade_cohort
from common.errors import KnobError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.shortcuts.clinical_check import check_clinical
from tests.facts import in_order


def cohort(counts: dict[Any, tuple[int, int]], target: str = "grade") -> list[dict[str, Any]]:
    """Patients of each class with and without an age; everybody has a resection."""
    return [
        {"subject": f"{value}{number}", target: value, "age": 60.0 if number < has else None, "resection": "GTR"}
        for value, (has, lacks) in counts.items()
        for number in range(has + lacks)
    ]


BRATS_2020 = cohort({"HGG": (236, 57), "LGG": (0, 76)})


def test_the_ages_of_brats_are_refused_with_their_numbers() -> None:
    """Sensitivity 236/293 at specificity 1: an AUC of (1 + .805) / 2."""
    with pytest.raises(KnobError) as caught:
        check_clinical(BRATS_2020, "grade", ["age", "resection"])
    (problem,) = caught.value.problems
    assert in_order(problem.what, "age", "236 of 293 HGG", "0 of 76 LGG", "grade", "AUC .90")
    assert problem.where == "--clinical_features age"
    assert "--clinical false" in problem.hint
    assert "--allow_shortcut true" in problem.hint


@pytest.mark.parametrize("word", [True, "true"])
def test_the_explicit_word_turns_it_into_a_warning(word: Any, caplog: pytest.LogCaptureFixture) -> None:
    check_clinical(BRATS_2020, "grade", "age", allow_shortcut=word)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "AUC .90" in record.getMessage()
    with pytest.raises(KnobError):
        check_clinical(BRATS_2020, "grade", "age", allow_shortcut="false")


@pytest.mark.parametrize("features", [[], "", None, "resection"])
def test_features_that_are_not_asked_for_or_never_missing_pass(features: Any) -> None:
    check_clinical(BRATS_2020, "grade", features)


def test_every_feature_is_told_at_once() -> None:
    records = [{**record, "resection": None if record["grade"] == "LGG" else "GTR"} for record in BRATS_2020]
    with pytest.raises(KnobError) as caught:
        check_clinical(records, "grade", "age,resection")
    assert [problem.where for problem in caught.value.problems] == [
        "--clinical_features age",
        "--clinical_features resection",
    ]


@pytest.mark.parametrize(
    ("counts", "refused"),
    [
        ({"HGG": (20, 10), "LGG": (10, 5)}, False),  # the same share
        ({"HGG": (10, 3), "LGG": (4, 6)}, False),  # Fisher's p is .10
        ({"HGG": (20, 5), "LGG": (4, 8)}, True),  # Fisher's p is .01
        ({"HGG": (1, 2), "LGG": (0, 3)}, True),  # p is 1, but one class never has it
        ({"HGG": (0, 5), "LGG": (0, 3)}, False),  # nobody has it
        ({"HGG": (5, 5)}, False),  # one class
    ],
)
def test_two_classes(counts: dict[str, tuple[int, int]], refused: bool) -> None:
    if refused:
        with pytest.raises(KnobError):
            check_clinical(cohort(counts), "grade", "age")
    else:
        check_clinical(cohort(counts), "grade", "age")


def test_three_classes_of_survival_by_number_and_by_name() -> None:
    """Counts of BraTS 2020's resection by tertile pass (p = .29); a third class that lacks it more does not."""
    check_clinical(cohort({0: (37, 41), 1: (44, 34), 2: (47, 32)}, "label"), "label", "age")
    records = cohort({0: (40, 40), 1: (40, 40), 2: (70, 10)}, "label")
    with pytest.raises(KnobError, match=r"40 of 80 in class 0, 40 .* in class 1 and 70 .* in class 2"):
        check_clinical(records, "label", "age")
    with pytest.raises(KnobError, match="40 of 80 short, 40 of 80 mid and 70 of 80 long"):
        check_clinical(records, "label", "age", names=("short", "mid", "long"))


def test_patients_without_the_target_are_left_out() -> None:
    check_clinical([*cohort({"HGG": (20, 10), "LGG": (10, 5)}), *cohort({None: (0, 90)})], "grade", "age")


def test_phantoms_of_whom_only_missing_values_tell_the_grade(phantom_dir: Path, tmp_path: Path) -> None:
    blind = make_brats_phantoms(tmp_path / "blind", 10, (16, 16, 16), blind_grade=True)
    for folder in (phantom_dir, blind):
        with pytest.raises(KnobError, match=r"AUC 1\.00"):
            check_clinical(grade_cohort(read_brats(folder)), "grade", "age")
