from __future__ import annotations

import pytest

from common.shortcuts.classifier import Probed
from common.shortcuts.probe import ALIKE
from common.shortcuts.questions import Question, list_questions
from common.shortcuts.traits import ADVICE
from common.shortcuts.warning_words import OF_HEALTH, OF_HEALTHY, warn
from tests.facts import in_order, numbers

GRADES = Question("grade", {"LGG": "LGG", "HGG": "HGG"}, {"LGG": 10, "HGG": 12})
HEALTH, AMONG = list_questions(["healthy"] * 6 + ["LGG"] * 7 + ["HGG"] * 8, "grade")


def found(**alone: float) -> Probed:
    traits = {name.replace("_", " "): auc for name, auc in alone.items()}
    return Probed(auc=0.9, chance=0.7, p_value=0.001, level=0.01, alone=traits)


@pytest.mark.parametrize(
    ("trait", "told"),
    [
        ("the noise", "The noise predicts the grade: "),
        ("the intensities", "The intensities predict the grade: "),
        ("the data set", "The data set predicts the grade: "),
    ],
)
def test_the_verb_agrees_with_the_trait(trait: str, told: str) -> None:
    (warning,) = warn(GRADES, found(**{trait: 0.95, "the shape": 0.6}), "")
    assert warning.startswith(told)
    assert numbers(warning)[:2] == [0.95, 0.7]
    assert warning.endswith(ADVICE[trait])


def test_several_traits_of_grades_are_a_sentence_each() -> None:
    warnings = warn(AMONG, found(the_intensities=0.95, the_shape=0.8), "")
    assert [warning.partition(":")[0] for warning in warnings] == [
        "The intensities separate LGG from HGG",
        "The shape separates LGG from HGG",
    ]


@pytest.mark.parametrize(
    ("target", "told"),
    [("mgmt", "the MGMT status"), ("tumour", "whether there is a tumour"), ("label", "the class"), ("stage", "stage")],
)
def test_a_key_is_told_in_words(target: str, told: str) -> None:
    (warning,) = warn(Question(target, {"a": "a"}, {"a": 9}), found(the_shape=0.8), "")
    assert warning.startswith(f"The shape predicts {told}: ")


def test_healthy_brains_take_one_sentence() -> None:
    (warning,) = warn(HEALTH, found(the_shape=1.0, the_noise=0.8, the_intensities=0.9), "")
    assert warning.startswith(f"The shape, the noise and the intensities separate {OF_HEALTH}: ")
    assert numbers(warning) == [0.8, 1.0, 0.7]
    assert "in the noise and the intensities. " in warning  # what prepared volumes still show
    assert warning.endswith(OF_HEALTHY)
    (warning,) = warn(HEALTH, found(the_intensities=0.9), "")
    assert warning.startswith(f"The intensities separate {OF_HEALTH}: ")
    assert numbers(warning) == [0.9, 0.7]


def test_a_source_of_their_own_goes_by_the_name_that_people_write() -> None:
    """The data set goes by its name; the AUC is of the other traits."""
    (warning,) = warn(HEALTH, found(the_data_set=1.0, the_noise=0.8), "ixi")
    assert in_order(warning, "(IXI)", "the noise separates them from tumours: ", "in the noise. ", OF_HEALTHY)
    assert numbers(warning) == [0.8, 0.7]
    (warning,) = warn(HEALTH, None, "my_volunteers")
    assert in_order(warning, "one data set only (my_volunteers)", OF_HEALTHY)
    assert numbers(warning) == []


def test_traits_that_predict_only_together() -> None:
    (warning,) = warn(GRADES, found(the_shape=0.6, the_noise=0.6), "")
    assert in_order(warning, "Taken together", "predict the grade")
    assert numbers(warning) == [0.9, 0.7]
    assert "the shape" not in warning and "the noise" not in warning


def test_what_a_page_of_images_shows_too_names_no_patient() -> None:
    questions = [list_questions(labels, "grade")[0].why_not() for labels in ([], ["LGG"], ["LGG"] * 9 + ["HGG"])]
    assert all(questions)
    assert "patient" not in " ".join([*ADVICE.values(), *questions, ALIKE])
