from __future__ import annotations

from typing import Any

import pytest

from common.cohorts import tumour_cohort
from common.copies import group_copies, single_images, subjects_of
from common.copies.groups import CopyPair, CopyReport
from common.errors import DatasetError


def image(name: str, **more: Any) -> dict[str, Any]:
    return {"subject": name, "image": f"{name}.jpg", "label": 0, **more}


def report(names: str, *pairs: str, threshold: float = 0.8) -> CopyReport:
    """``"ab"`` is a pair of the images a and b."""
    found = [CopyPair(pair[0], pair[1], 0.9, "flipped") for pair in pairs]
    return CopyReport({name: f"{name}.jpg" for name in names}, found, threshold)


def test_copies_are_scans_of_one_subject_named_after_the_first() -> None:
    records = [image(name) for name in "dcba"]
    grouped = group_copies(records, report("dcba", "dc", "ca"))
    assert [(record["subject"], record["scan"]) for record in grouped] == [
        *[("a", "d"), ("a", "c")],
        *[("b", "b"), ("a", "a")],
    ]
    assert records == [image(name) for name in "dcba"]  # copies, not the records themselves


def test_a_pair_below_the_threshold_groups_nothing() -> None:
    grouped = group_copies([image("a"), image("b")], report("ab", "ab", threshold=0.95))
    assert [record["subject"] for record in grouped] == ["a", "b"]


def test_what_a_list_keeps_together_is_joined_with_its_copies() -> None:
    """x and y are of one patient, y and b copies, b and c of one group: all of them are one subject."""
    records = [
        image("p", scan="x"),
        image("p", scan="y"),
        image("b", group="g"),
        image("c", group="g"),
        image("d"),
    ]
    grouped = group_copies(records, report("xybcd", "yb"))
    assert [record["subject"] for record in grouped] == ["b", "b", "b", "b", "d"]
    assert [record["scan"] for record in grouped] == ["x", "y", "b", "c", "d"]


def test_single_images_are_subjects_of_their_own() -> None:
    grouped = group_copies([image("a"), image("b")], report("ab", "ab"))
    assert single_images(grouped) == [image("a"), image("b")]


def test_a_split_is_over_groups_of_copies_or_as_in_p2_over_images() -> None:
    records, copies = [image("a"), image("b"), image("c")], report("abc", "ab")
    assert [record["subject"] for record in subjects_of(records, copies, "patient")] == ["a", "a", "c"]
    assert subjects_of(records, copies, "paper") == records


def test_the_labels_of_two_classes_are_none_and_tumour() -> None:
    records = [image("a", class_name="no"), {**image("b", class_name="yes"), "label": 1}]
    assert [record["tumour"] for record in tumour_cohort(records)] == ["none", "tumour"]


def test_three_classes_are_named_and_refused() -> None:
    records = [{**image(name, class_name=name), "label": index} for index, name in enumerate(["no", "glioma", "other"])]
    with pytest.raises(DatasetError, match="no, glioma, other"):
        tumour_cohort(records)
