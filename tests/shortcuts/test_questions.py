from __future__ import annotations

import pytest

from common.shortcuts.questions import FEWEST_PER_CLASS, MOST_CLASSES, list_questions


def labels(**counts: int) -> list[str]:
    return [label for label, count in counts.items() for _ in range(count)]


def test_classes_without_healthy_people_are_one_question() -> None:
    (question,) = list_questions(labels(LGG=6, HGG=9), "grade")
    assert (question.name, question.counts) == ("grade", {"HGG": 9, "LGG": 6})
    assert not question.about_health
    assert question.why_not() == ""


def test_with_healthy_people_tumours_are_asked_about_on_their_own() -> None:
    health, grades = list_questions(labels(healthy=5, LGG=6, HGG=9), "grade")
    assert (health.name, health.counts) == ("healthy from tumour", {"healthy": 5, "tumour": 15})
    assert health.classes == {"HGG": "tumour", "LGG": "tumour", "healthy": "healthy"}
    assert (grades.name, grades.counts) == ("LGG from HGG", {"HGG": 9, "LGG": 6})
    assert "healthy" not in grades.classes
    assert health.about_health and not grades.about_health


def test_of_one_kind_of_tumour_nothing_is_left_to_ask() -> None:
    assert [question.name for question in list_questions(labels(healthy=5, HGG=9), "grade")] == ["healthy from tumour"]


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({}, "this label is not recorded."),
        ({"healthy": 9}, "there is only one class (9 healthy)."),
        ({"HGG": 9, "LGG": FEWEST_PER_CLASS - 1}, "too few per class to judge (9 HGG, 4 LGG)."),
        ({"0": 9, "1": FEWEST_PER_CLASS - 1}, "too few per class to judge (9 of class 0, 4 of class 1)."),
        ({f"c{number}": 9 for number in range(MOST_CLASSES + 1)}, "its 11 values are not classes."),
    ],
)
def test_why_a_question_cannot_be_answered(counts: dict[str, int], why: str) -> None:
    (question,) = list_questions(labels(**counts), "grade")
    assert question.why_not() == why


def test_a_small_class_beside_two_large_ones_is_left_out() -> None:
    (question,) = list_questions(labels(a=5, b=5, c=4), "site")
    assert (question.judged, question.too_small) == ({"a": 5, "b": 5}, {"c": 4})
    assert question.why_not() == ""
