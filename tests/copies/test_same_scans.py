"""What two scans of a cohort have in common, from their hashes alone."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from common.copies.same_scans import MOST_TOLD, compare_scans, same_scan_problems


def case(subject: str, scan: str | None = None, **hashes: tuple[str, str | None]) -> Any:
    """A prepared case whose images have these hashes, of all voxels and of the values."""
    files = {modality: f"{scan or subject}_{modality}.nii.gz" for modality in hashes}
    return {"subject": subject, **({"scan": scan} if scan else {}), **files, "voxel_hashes": hashes}


def test_a_shared_modality_is_told_with_both_patients_and_files() -> None:
    cases = [
        case("A", t1=("a", "x"), t2=("b", "y")),
        case("B", t1=("c", "z"), t2=("b", "y")),
        case("C", t1=("d", "w"), t2=("e", "v")),
    ]
    (problem,) = compare_scans(cases).problems
    assert "these two are the same scan: A and B" in problem.what and "(t2)" in problem.what
    assert problem.where == "A_t2.nii.gz and B_t2.nii.gz"
    assert "subject" in problem.hint and "--exclude B" in problem.hint


def test_all_that_two_scans_share_is_one_problem() -> None:
    (problem,) = compare_scans(
        [case("A", t1=("a", None), t2=("b", None)), case("B", t1=("a", None), t2=("b", None))]
    ).problems
    assert "(t1, t2)" in problem.what


def test_one_modality_may_be_listed_as_another() -> None:
    (problem,) = compare_scans([case("A", t1=("a", None)), case("B", flair=("a", None))]).problems
    assert "t1 of A is flair of B" in problem.what


def test_a_scan_of_three_patients_is_told_of_both_others() -> None:
    told = [problem.what for problem in compare_scans([case(name, t1=("a", None)) for name in "ABC"]).problems]
    assert ["A and B" in told[0], "A and C" in told[1], len(told)] == [True, True, 2]


def test_scans_of_one_subject_may_be_the_same() -> None:
    found = compare_scans([case("A", "A-1", t1=("a", "x")), case("A", "A-2", t1=("a", "x"))])
    assert not found.problems and not found.warnings
    cases = [case("A", "A-1", t1=("a", "x")), case("A", "A-2", t1=("a", "x")), case("B", t1=("a", "x"))]
    assert len(compare_scans(cases).problems) == 1


def test_images_that_are_no_evidence_are_not_compared() -> None:
    assert not compare_scans([case("A"), case("B"), {"subject": "C"}]).problems


def test_two_modalities_with_the_same_voxels_are_told() -> None:
    found = compare_scans([case("A", t1=("a", "x"), t1ce=("a", "x"), t2=("b", "y"))])
    assert not found.problems
    (warning,) = found.warnings
    assert warning.startswith("t1 and t1ce of A hold the same voxels") and "A_t1ce.nii.gz" in warning


def test_a_moved_copy_is_told() -> None:
    found = compare_scans([case("A", t1=("a", "x")), case("B", t1=("b", "x")), case("C", t1=("c", "y"))])
    assert not found.problems
    (warning,) = found.warnings
    assert "mirrored copy: t1 of A and t1 of B" in warning and "C" not in warning.split(".")[0]


def test_images_without_a_hash_of_values_are_not_moved_copies() -> None:
    assert not compare_scans([case("A", seg=("a", None)), case("B", seg=("b", None))]).warnings


def test_the_same_scan_is_not_told_as_a_moved_copy_too() -> None:
    found = compare_scans([case("A", t1=("a", "x"), t2=("b", "y")), case("B", t1=("a", "x"), t2=("c", "y"))])
    assert len(found.problems) == 1 and not found.warnings


def test_of_many_pairs_the_rest_can_be_left_out_in_one_word() -> None:
    once = [case(f"P{number:02}", t1=(str(number), None)) for number in range(MOST_TOLD + 3)]
    again = [case(f"Q{number:02}", t1=(str(number), None)) for number in range(MOST_TOLD + 3)]
    *told, rest = compare_scans([*once, *again]).problems
    assert len(told) == MOST_TOLD
    assert rest.what.startswith("3 more pairs") and "--exclude Q10,Q11,Q12" in rest.hint


def test_warnings_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert same_scan_problems([case("A", t1=("a", "x"), t2=("a", "x"))]) == []
    assert "t1 and t2 of A hold the same voxels" in caplog.text
