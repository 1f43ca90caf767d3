from __future__ import annotations

import pytest

from common.shortcuts.classifier import Probed
from common.shortcuts.probe import ALIKE
from common.shortcuts.questions import Question, list_questions
from common.shortcuts.traits import ADVICE
from common.shortcuts.warning_words import warn

GRADES = Question("grade", {"LGG": "LGG", "HGG": "HGG"}, {"LGG": 10, "HGG": 12})
HEALTH, AMONG = list_questions(["healthy"] * 6 + ["LGG"] * 7 + ["HGG"] * 8, "grade")


def found(**alone: float) -> Probed:
    traits = {name.replace("_", " "): auc for name, auc in alone.items()}
    return Probed(auc=0.9, chance=0.7, p_value=0.001, level=0.01, alone=traits)


@pytest.mark.parametrize(
    ("trait", "told"),
    [
        (
            "the_noise",
            "The noise predicts the grade: AUC 0.95, shuffled labels rarely pass 0.70. This may be the scanner",
        ),
        ("the_intensities", "The intensities predict the grade: AUC 0.95, shuffled labels rarely pass 0.70. "),
        ("the_data_set", "The data set predicts the grade: AUC 0.95"),
    ],
)
def test_the_verb_agrees_with_the_trait(trait: str, told: str) -> None:
    (warning,) = warn(GRADES, found(**{trait: 0.95, "the_shape": 0.6}), "")
    assert warning.startswith(told)


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
    assert warning == (
        "The shape, the noise and the intensities separate healthy brains from tumours: AUC 0.80 to 1.00, shuffled "
        "labels rarely pass 0.70. The prepared volumes still show it, in the noise and the intensities. A network can "
        "learn the source and ignore the tumour: trust only how it separates tumours from one another."
    )
    (warning,) = warn(HEALTH, found(the_intensities=0.9), "")
    assert warning.startswith("The intensities separate healthy brains from tumours: AUC 0.90, ")


def test_a_source_of_their_own_goes_by_the_name_that_people_write() -> None:
    """The data set goes by its name; the AUC is of the other traits."""
    (warning,) = warn(HEALTH, found(the_data_set=1.0, the_noise=0.8), "ixi")
    assert warning.startswith(
        "Healthy brains come from one data set only (IXI), and the noise separates them from tumours: AUC 0.80, "
        "shuffled labels rarely pass 0.70. The prepared volumes still show it, in the noise. A network"
    )
    (warning,) = warn(HEALTH, None, "my_volunteers")
    assert warning.startswith("Healthy brains come from one data set only (my_volunteers). A network")


def test_traits_that_predict_only_together() -> None:
    (warning,) = warn(GRADES, found(the_shape=0.6, the_noise=0.6), "")
    assert warning == (
        "Taken together, traits that do not need the tumour predict the grade: AUC 0.90, shuffled labels rarely "
        "pass 0.70. Compare every result with this one."
    )


def test_what_a_page_of_images_shows_too_names_no_patient() -> None:
    questions = [list_questions(labels, "grade")[0].why_not() for labels in ([], ["LGG"], ["LGG"] * 9 + ["HGG"])]
    assert all(questions)
    assert "patient" not in " ".join([*ADVICE.values(), *questions, ALIKE])
