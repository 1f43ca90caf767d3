"""Ways to split a cohort, by scikit-learn's splitters with the patient as the group.

The result depends on the patients' ids, the seed and the strata, never on the order of the records. Stratification is
best effort: a class with too few patients for it raises no error.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import check_random_state

from common.errors import Problem, SplitError
from common.names import person_of
from common.records import Record

FEWEST_PATIENTS = 3
OTHER = "other"
PUBLISHED_SHARES = (0.8, 0.1, 0.1)
"""P3, section 4.1.1: training, validation and test slices for segmentation."""


@dataclass(frozen=True)
class Sides:
    """The three sides of a split.

    Args:
        train: sorted ids.
        validation: sorted ids.
        test: sorted ids.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def k_fold(records: Sequence[Record], folds: int = 5, seed: int = 0, stratify_by: str | None = None) -> list[Sides]:
    """``folds`` ways to split: in the k-th, fold k is tested and the next one (cyclically) validates.

    Args:
        records: the cohort; all records of a subject stay together.
        folds: at least 3, since test and validation need one fold each.
        seed: of the shuffle.
        stratify_by: the key whose values are spread evenly over the folds; ``None`` for no stratification.

    Raises:
        SplitError: fewer than three folds, or fewer patients than folds.
    """
    if folds < FEWEST_PATIENTS:
        what = f"{folds} folds leave no patients to train on: one fold is tested, the next one validates"
        raise SplitError(Problem(what, "--folds", "Use 3 folds or more."))
    people = _people(records)
    if len(people) < folds:
        what = f"{len(people)} patients cannot fill {folds} folds"
        raise SplitError(Problem(what, "the cohort", f"Add patients or lower --folds ({FEWEST_PATIENTS} or more)."))
    parts = _parts(records, folds, seed, stratify_by)
    return [_k_th_sides(people, parts, fold) for fold in range(folds)]


def hold_out(
    records: Sequence[Record],
    test_share: float = 0.2,
    validation_share: float = 0.2,
    seed: int = 0,
    stratify_by: str | None = None,
) -> Sides:
    """One random split by shares of all patients; each side with a share above 0 gets at least one patient.

    Args:
        records: the cohort; all records of a subject stay together.
        test_share: the share of patients that are tested.
        validation_share: the share of patients that validate.
        seed: of the draw.
        stratify_by: as in :func:`k_fold`.

    Raises:
        SplitError: shares that leave nothing to train on, or fewer than three patients.
    """
    if min(test_share, validation_share) < 0 or test_share + validation_share >= 1:
        what = (
            f"a test share of {test_share:g} and a validation share of {validation_share:g} leave nothing to train on"
        )
        raise SplitError(Problem(what, "the shares", "Choose shares of 0 or more whose sum is below 1."))
    people = _people(records)
    if len(people) < FEWEST_PATIENTS:
        what = f"{len(people)} patients are too few for training, validation and test"
        raise SplitError(Problem(what, "the cohort", f"Add patients: at least {FEWEST_PATIENTS} are needed."))
    stratum = {person_of(record["subject"]): _value(record, stratify_by) for record in records}
    everyone = sorted(people)
    most = len(everyone) - 1 - (validation_share > 0)
    test = _draw(everyone, min(_count(test_share, len(everyone)), most), stratum, seed)
    rest = sorted(set(everyone) - test)
    validation = _draw(rest, min(_count(validation_share, len(everyone)), len(rest) - 1), stratum, seed)
    return Sides(*(_subjects(people, side) for side in (set(rest) - validation, validation, test)))


def hold_out_k_fold(
    records: Sequence[Record],
    folds: int = 3,
    seed: int = 0,
    train_share: float = 0.8,
    stratify_by: str | None = None,
) -> list[Sides]:
    """A fixed hold-out for test, and the rest in ``folds`` parts: in the k-th split, part k validates (P2).

    P2 holds 600 of 3,000 images out and cross-validates three-fold on the other 2,400.

    Args:
        records: the cohort; all records of a subject stay together.
        folds: at least 2.
        seed: of both draws.
        train_share: the share of patients that are not tested; one of its ``folds`` parts validates.
        stratify_by: as in :func:`k_fold`.

    Raises:
        SplitError: fewer than two folds, a share that leaves a side empty, or fewer patients than that takes.
    """
    if folds < FEWEST_PATIENTS - 1:
        raise SplitError(Problem(f"{folds} folds leave no patient to train on", "--folds", "Use 2 folds or more."))
    if not 0 < train_share < 1:
        what = f"a train share of {train_share:g} leaves no patient to {'test' if train_share >= 1 else 'train on'}"
        raise SplitError(Problem(what, "--train_share", "Choose more than 0 and less than 1."))
    people = _people(records)
    if len(people) <= folds:
        what = f"{len(people)} patients cannot fill {folds} folds and a test side"
        raise SplitError(Problem(what, "the cohort", "Add patients or lower --folds (2 or more)."))
    stratum = {person_of(record["subject"]): _value(record, stratify_by) for record in records}
    count = min(_count(round(1 - train_share, 9), len(people)), len(people) - folds)
    test = _draw(sorted(people), count, stratum, seed)
    rest = [record for record in records if person_of(record["subject"]) not in test]
    parts = _parts(rest, folds, seed, stratify_by)
    return [Sides(*(_subjects(people, side) for side in (people.keys() - test - part, part, test))) for part in parts]


def monte_carlo(
    records: Sequence[Record],
    train_share: float,
    repeats: int,
    seed: int = 0,
    validation_share: float = 0.1,
    stratify_by: str | None = None,
) -> list[Sides]:
    """``repeats`` independent hold-outs (P1, table 4: ten of them at a train share of .9, .8, .7, .6 and .5).

    Args:
        records: the cohort.
        train_share: the share of patients that are not tested; the validation side is taken out of it.
        repeats: how many splits.
        seed: of the whole series; a split does not depend on how many follow it.
        validation_share: share of all patients that validate.
        stratify_by: as in :func:`k_fold`.

    Raises:
        SplitError: as in :func:`hold_out`.
    """
    if not validation_share < train_share <= 1:
        what = f"a train share of {train_share:g} does not hold a validation share of {validation_share:g}"
        raise SplitError(Problem(what, "--train_share", f"Choose more than {validation_share:g} and at most 1."))
    seeds = np.random.SeedSequence(seed).generate_state(repeats)
    test_share = round(1 - train_share, 9)
    return [hold_out(records, test_share, validation_share, int(one), stratify_by) for one in seeds]


def slice_split(
    units: Sequence[str],
    shares: tuple[float, float, float] = PUBLISHED_SHARES,
    seed: int = 0,
    strata: Mapping[str, Hashable] | None = None,
) -> Sides:
    """A published split: slices (P3) or images (P1) are drawn regardless of their patient, so patients leak.

    Args:
        units: ``subject#index`` of all slices of all volumes, or of all images of all patients.
        shares: of training, validation and test; validation may have 0, for a paper that chose its best epoch
            on the slices that it reported.
        seed: of the draw.
        strata: the stratum of each unit, spread evenly over the sides; ``None`` for no stratification.

    Raises:
        SplitError: fewer than three units, or shares that do not add up to 1.
    """
    if len(units) < FEWEST_PATIENTS or abs(sum(shares) - 1) > 1e-6 or not _are_sides(shares):
        what = f"{len(units)} slices or images cannot be split by the shares {tuple(shares)}"
        raise SplitError(Problem(what, "the published split", "It takes 3 of them or more and shares that sum to 1."))
    ordered = sorted(units)
    test_count, validation_count = _count(shares[2], len(ordered)), _count(shares[1], len(ordered))
    rest, test = _part(ordered, test_count, strata, seed)
    train, validation = _part(rest, validation_count, strata, seed) if validation_count else (rest, [])
    return Sides(*(tuple(sorted(side)) for side in (train, validation, test)))


def _are_sides(shares: Sequence[float]) -> bool:
    train, validation, test = shares
    return min(train, test) > 0 and validation >= 0


def _parts(records: Sequence[Record], folds: int, seed: int, stratify_by: str | None) -> list[set[str]]:
    """The persons in each of ``folds`` parts that are about equal in records and strata."""
    ordered = sorted(records, key=lambda record: str(record["subject"]))
    groups = [person_of(record["subject"]) for record in ordered]
    strata = _strata(ordered, stratify_by, at_least=folds)
    persons = sorted(set(groups))
    # what shuffle=True does since scikit-learn 1.8; before, it mixed up the groups' strata
    drawn = {persons[old]: new for new, old in enumerate(check_random_state(seed).permutation(len(persons)))}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class in y")
        chosen = StratifiedGroupKFold(folds).split(np.zeros(len(groups)), strata, [drawn[group] for group in groups])
        return [{groups[index] for index in tested} for _, tested in chosen]


def _people(records: Sequence[Record]) -> dict[str, set[str]]:
    """Each person's subject ids: more than one where releases of a data set are mixed."""
    people: dict[str, set[str]] = {}
    for record in records:
        people.setdefault(person_of(record["subject"]), set()).add(record["subject"])
    return people


def _subjects(people: Mapping[str, set[str]], chosen: set[str]) -> tuple[str, ...]:
    return tuple(sorted(subject for person in chosen for subject in people[person]))


def _k_th_sides(people: Mapping[str, set[str]], parts: Sequence[set[str]], fold: int) -> Sides:
    test, validation = parts[fold], parts[(fold + 1) % len(parts)]
    return Sides(*(_subjects(people, side) for side in (people.keys() - test - validation, validation, test)))


def _value(record: Record, key: str | None) -> str:
    return "all" if key is None else str(record.get(key))


def _strata(records: Sequence[Record], key: str | None, at_least: int) -> list[str]:
    """Each record's stratum; one stratum for all where not even the largest one would reach every fold."""
    strata = [_value(record, key) for record in records]
    return strata if max(Counter(strata).values()) >= at_least else ["all"] * len(strata)


def _count(share: float, total: int) -> int:
    """How many of ``total`` a share is: 0 only for a share of 0."""
    return 0 if share == 0 else max(1, round(share * total))


def _draw(people: Sequence[str], count: int, stratum: Mapping[str, Hashable], seed: int) -> set[str]:
    """``count`` of ``people`` at random; see :func:`_part`."""
    if count == 0:
        return set()
    return set(_part(people, count, stratum, seed)[1])


def _part(
    units: Sequence[str], count: int, stratum: Mapping[str, Hashable] | None, seed: int
) -> tuple[list[str], list[str]]:
    """The rest, and ``count`` of ``units`` at random, stratified where every stratum can be on both sides."""
    strata = _merge_rare([stratum[unit] for unit in units]) if stratum else []
    smallest_side = min(count, len(units) - count)
    stratify = strata if smallest_side >= len(set(strata)) > 1 else None
    rest, drawn = train_test_split(units, test_size=count, random_state=seed, stratify=stratify)
    return rest, drawn


def _merge_rare(strata: Sequence[Hashable]) -> list[Hashable]:
    """Strata of a single person join one stratum, or the largest one where they are still alone."""
    counts = Counter(strata)
    merged = [stratum if counts[stratum] > 1 else OTHER for stratum in strata]
    largest = max(counts, key=lambda stratum: (counts[stratum], str(stratum)))
    return [largest if stratum == OTHER and merged.count(OTHER) == 1 else stratum for stratum in merged]
