from __future__ import annotations

import random
import warnings
from collections import Counter

import pytest

from common.errors import SplitError
from common.splits.folds import Sides, hold_out, hold_out_k_fold, k_fold, monte_carlo, slice_split


def cohort(high: int, low: int) -> list[dict[str, str]]:
    grades = ["HGG"] * high + ["LGG"] * low
    return [{"subject": f"P{number:03d}", "grade": grade} for number, grade in enumerate(grades)]


def everyone(sides: Sides) -> list[str]:
    return [*sides.train, *sides.validation, *sides.test]


def grades(ids: tuple[str, ...], records: list[dict[str, str]]) -> Counter[str]:
    grade = {record["subject"]: record["grade"] for record in records}
    return Counter(grade[subject] for subject in ids)


def test_every_patient_is_tested_once_and_validates_once() -> None:
    records = cohort(50, 20)
    folds = k_fold(records, 5, seed=3, stratify_by="grade")
    subjects = sorted(record["subject"] for record in records)
    assert sorted(subject for sides in folds for subject in sides.test) == subjects
    assert sorted(subject for sides in folds for subject in sides.validation) == subjects
    for number, sides in enumerate(folds):
        assert sorted(everyone(sides)) == subjects
        assert sides.validation == folds[(number + 1) % 5].test


def test_folds_hold_the_classes_in_proportion() -> None:
    records = cohort(50, 20)
    for sides in k_fold(records, 5, stratify_by="grade"):
        assert grades(sides.test, records) == {"HGG": 10, "LGG": 4}


def test_all_records_of_a_subject_stay_together() -> None:
    records = [{"subject": f"P{number % 10}", "grade": "HGG"} for number in range(40)]
    for sides in k_fold(records, 5):
        assert sorted(everyone(sides)) == [f"P{number}" for number in range(10)]


def test_one_person_in_two_releases_is_one_person() -> None:
    both = [{"subject": f"{release}_CBICA_{number}_1"} for release in ("Brats18", "BraTS19") for number in range(9)]
    for sides in [*k_fold(both, 3), hold_out(both), *hold_out_k_fold(both, 3)]:
        for side in (sides.train, sides.validation, sides.test):
            people = Counter(subject.split("_", 1)[1] for subject in side)
            assert set(people.values()) == {2}


def test_order_of_the_records_does_not_matter_and_the_seed_does() -> None:
    records = cohort(30, 10)
    shuffled = random.Random(0).sample(records, len(records))
    assert k_fold(records, 5, 1, "grade") == k_fold(shuffled, 5, 1, "grade")
    assert hold_out(records, seed=1, stratify_by="grade") == hold_out(shuffled, seed=1, stratify_by="grade")
    assert k_fold(records, 5, 1) != k_fold(records, 5, 2)
    assert hold_out(records, seed=1) != hold_out(records, seed=2)


@pytest.mark.parametrize(("high", "low"), [(3, 3), (10, 2), (5, 1), (5, 0)])
def test_rare_classes_neither_fail_nor_warn_and_leave_no_fold_empty(high: int, low: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = k_fold(cohort(high, low), 5, stratify_by="grade")
    assert all(sides.train and sides.validation and sides.test for sides in folds)


@pytest.mark.parametrize(("patients", "folds", "told"), [(4, 5, "4 patients cannot fill 5 folds"), (9, 2, "2 folds")])
def test_too_few_patients_or_folds_are_refused(patients: int, folds: int, told: str) -> None:
    with pytest.raises(SplitError, match=told):
        k_fold(cohort(patients, 0), folds)


def test_hold_out_has_the_shares_and_the_classes_that_were_asked_for() -> None:
    records = cohort(80, 20)
    sides = hold_out(records, test_share=0.2, validation_share=0.1, stratify_by="grade")
    assert grades(sides.test, records) == {"HGG": 16, "LGG": 4}
    assert grades(sides.validation, records) == {"HGG": 8, "LGG": 2}
    assert sorted(everyone(sides)) == sorted(record["subject"] for record in records)


@pytest.mark.parametrize("patients", [3, 4, 5])
def test_hold_out_of_a_tiny_cohort_leaves_somebody_on_every_side(patients: int) -> None:
    sides = hold_out(cohort(patients - 1, 1), 0.3, 0.3, stratify_by="grade")
    assert sides.train and sides.validation and sides.test


@pytest.mark.parametrize("patients", [3, 4, 5, 6, 10])
@pytest.mark.parametrize("train_share", [0.11, 0.2, 0.5])
def test_a_small_train_share_leaves_somebody_on_every_side(patients: int, train_share: float) -> None:
    for sides in monte_carlo(cohort(patients - 1, 1), train_share, repeats=2, stratify_by="grade"):
        assert sides.train and sides.validation and sides.test


def test_hold_out_without_validation() -> None:
    assert hold_out(cohort(10, 0), validation_share=0).validation == ()


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.2), (1.0, 0.0)])
def test_shares_that_leave_nobody_to_train_on_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(SplitError, match="nothing to train on"):
        hold_out(cohort(10, 0), *shares)


def test_a_hold_out_of_600_and_three_folds_of_800_as_in_p2() -> None:
    records = [{"subject": f"{number:04d}"} for number in range(3000)]
    folds = hold_out_k_fold(records, 3)
    assert [len(sides.test) for sides in folds] == [600] * 3
    assert [len(sides.validation) for sides in folds] == [800] * 3
    assert folds[0].test == folds[1].test == folds[2].test
    validated = sorted(subject for sides in folds for subject in sides.validation)
    assert sorted([*validated, *folds[0].test]) == [record["subject"] for record in records]
    for sides in folds:
        assert sorted(everyone(sides)) == [record["subject"] for record in records]


def test_the_hold_out_is_the_same_whatever_the_folds_and_keeps_the_classes() -> None:
    records = cohort(60, 40)
    three, five = (hold_out_k_fold(records, folds, seed=2, stratify_by="grade") for folds in (3, 5))
    assert three[0].test == five[0].test
    assert grades(three[0].test, records) == {"HGG": 12, "LGG": 8}
    assert all(grades(sides.validation, records)["LGG"] in (10, 11) for sides in three)
    assert hold_out_k_fold(records[::-1], 3, seed=2, stratify_by="grade") == three
    assert hold_out_k_fold(records, 3, seed=3, stratify_by="grade")[0].test != three[0].test


def test_groups_of_a_hold_out_with_folds_stay_together() -> None:
    records = [{"subject": f"P{number % 12}", "grade": "HGG"} for number in range(60)]
    for sides in hold_out_k_fold(records, 3):
        assert sorted(everyone(sides)) == sorted({record["subject"] for record in records})


def test_the_smallest_cohort_of_a_hold_out_with_folds() -> None:
    (sides, _, _) = hold_out_k_fold(cohort(4, 0), 3, train_share=0.1)
    assert [len(sides.train), len(sides.validation), len(sides.test)] == [2, 1, 1]
    with pytest.raises(SplitError, match="3 patients cannot fill 3 folds and a test side"):
        hold_out_k_fold(cohort(3, 0), 3)


@pytest.mark.parametrize(("folds", "share", "message"), [(1, 0.8, "--folds"), (3, 1.0, "test"), (3, 0.0, "train on")])
def test_a_hold_out_with_folds_that_leaves_nobody_is_refused(folds: int, share: float, message: str) -> None:
    with pytest.raises(SplitError, match=message):
        hold_out_k_fold(cohort(10, 0), folds, train_share=share)


@pytest.mark.parametrize("train_share", [0.9, 0.8, 0.7, 0.6, 0.5])
def test_monte_carlo_tests_on_what_the_train_share_leaves(train_share: float) -> None:
    splits = monte_carlo(cohort(80, 20), train_share, repeats=10, stratify_by="grade")
    assert {len(sides.test) for sides in splits} == {round(100 * (1 - train_share))}
    assert {len(sides.validation) for sides in splits} == {10}
    assert len({sides.test for sides in splits}) == 10


def test_a_longer_series_begins_with_the_shorter_one() -> None:
    records = cohort(20, 10)
    assert monte_carlo(records, 0.8, 10, seed=5)[:3] == monte_carlo(records, 0.8, 3, seed=5)


def test_a_train_share_below_the_validation_share_is_refused() -> None:
    with pytest.raises(SplitError, match="train_share"):
        monte_carlo(cohort(10, 0), 0.1, 1)


def test_the_published_split_draws_slices_and_shares_patients() -> None:
    units = [f"P{patient}#{index:03d}" for patient in range(5) for index in range(20)]
    sides = slice_split(units, seed=1)
    assert (len(sides.train), len(sides.validation), len(sides.test)) == (80, 10, 10)
    assert sorted(everyone(sides)) == units
    assert {unit[:2] for unit in sides.train} & {unit[:2] for unit in sides.test}
    assert slice_split(units[::-1], seed=1) == sides


def test_a_published_split_may_choose_its_epoch_on_what_it_reports() -> None:
    sides = slice_split([f"P{patient}#{index:03d}" for patient in range(5) for index in range(20)], (0.8, 0, 0.2))
    assert (len(sides.train), len(sides.validation), len(sides.test)) == (80, 0, 20)


@pytest.mark.parametrize("shares", [(0.8, 0.2, 0), (0, 0.5, 0.5), (1.2, -0.4, 0.2), (0.5, 0.1, 0.1)])
def test_a_published_split_has_something_to_learn_and_to_test(shares: tuple[float, float, float]) -> None:
    with pytest.raises(SplitError, match="cannot be split by the shares"):
        slice_split([f"P#{index}" for index in range(20)], shares)


def test_the_published_split_needs_three_slices() -> None:
    with pytest.raises(SplitError, match="2 slices"):
        slice_split(["P#0", "P#1"])
