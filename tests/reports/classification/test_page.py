from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from common.metrics import Baselines
from common.reports.classification.page import write_page
from common.reports.classification.summary import class_table, summarise_classification
from common.reports.classification.verdict import judge_evidence
from tests.facts import in_order
from tests.short_reports import shorten_reports

GRADES = ("LGG", "HGG")


@pytest.fixture(scope="module", autouse=True)
def short_reports() -> Iterator[None]:
    """ROC curves have tests of their own."""
    with shorten_reports():
        yield


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Writes the page of ``patients`` rightly graded patients and returns its text."""

    def make(patients: int = 20, invented: bool = False, **facts: Any) -> str:
        labels = np.arange(patients) % 2
        truth = np.asarray(GRADES)[labels]
        subjects = [f"P{number:02d}" for number in range(patients)]
        rows = pd.DataFrame({"subject": subjects, "truth": truth, "predicted": truth, "voted": truth})
        rows = rows.assign(p_LGG=0.9 - 0.8 * labels, p_HGG=0.1 + 0.8 * labels)
        summary = {
            "target": "grade",
            "protocol": "patient",
            "unit": "subject",
            "side": "test",
            "phantom": False,
            "split_hash": "0123456789abcdef",
            "weights": {"epoch": 7},
            "class_shares": {"LGG": 0.21, "HGG": 0.79},
            "shortcuts": {"warnings": []},
            "verdict": {"claim": False, "sentences": ["Nothing is claimed.", "Age tells it."]},
            **summarise_classification(rows, rows, GRADES, Baselines({}, {"age alone": "nobody has it"})),
            **facts,
        }
        record = {"source": "brats2020", "flair": "no image is opened", "invented": invented}
        records = [{"subject": name, **record} for name in subjects]
        write_page(tmp_path / "report.html", summary, rows, records, {"P00: LGG.": Figure()})
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return make


def test_the_page_tells_what_was_judged_and_what_it_shows(make: Any) -> None:
    html = make()
    assert in_order(
        html,
        "20 patients",
        "test side",
        "10 LGG, 10 HGG",
        "BraTS 2020 (20)",
        "Recipe: not recorded",
        "Split: by patient",
    )
    assert in_order(html, "0123456789ab", "epoch 7")
    assert html.index("<p>Nothing is claimed.</p>") < html.index("<p>Age tells it.</p>") < html.index("Each class")
    assert "No baseline of age alone: nobody has it." in html
    assert html.count("<img") == 5  # confusion matrix, ROC, precision, reliability, and the heat map that was given
    assert "Expected calibration error 0.100 (10 bins)" in html
    assert 'class="warning"' not in html
    assert "P19" in html


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"phantom": True}, "These are phantoms"),
        ({"protocol": "paper", "unit": "image"}, "images of one patient are on both sides of the split"),
        ({"protocol": "paper", "unit": "slice"}, "slices of one patient are on both sides of the split"),
        ({"side": "validation"}, "The validation side was used while training"),
        ({"patients": 19}, "Only 19 patients"),
        ({"shortcuts": {"warnings": ["Age tells grade."]}}, "Age tells grade."),
        ({"permuted_labels": True}, "The labels were shuffled between patients (--permute_labels true)"),
        ({"invented": True}, "20 patients have an invented age or survival time"),
    ],
)
def test_what_must_not_be_overlooked_is_a_warning(make: Any, facts: dict[str, Any], warning: str) -> None:
    html = make(**facts)
    assert html.count('class="warning"') == 1
    assert warning in html.partition('class="warning">')[2].partition("</p>")[0]


def test_where_probabilities_hold_is_told(make: Any) -> None:
    assert "LGG 21 %, HGG 79 %" in " ".join(make().split())
    assert "do not record how frequent the classes were" in " ".join(make(class_shares={}).split())


def test_grades_on_their_own_and_what_the_probe_found_have_sections(make: Any, drawn: None) -> None:
    rows = pd.DataFrame(np.eye(3)[[0, 1, 1, 2]], columns=["p_LGG", "p_HGG", "p_healthy"])
    truth = ["LGG", "HGG", "HGG", "healthy"]
    rows = rows.assign(subject=list("abcd"), truth=truth, predicted=truth)
    subgroup = summarise_classification(rows, rows, (*GRADES, "healthy"), Baselines({}, {}))["subgroup"]
    question = {"question": "LGG from HGG", "note": "too few patients.", "too_small": {}}
    html = make(target="volume_grade", subgroup=subgroup, shortcuts={"warnings": [], "questions": [question]})
    assert "Glioma grade of a whole volume: evaluation" in html
    assert "<h2>LGG against HGG on its own</h2>" in html
    assert "0 of 3 patients were predicted to be healthy." in html
    assert "Not judged: LGG from HGG: too few patients." in html
    assert "its abstract .9545 and its conclusion .9345" in html
    assert "on its own" not in make()


def test_the_papers_split_of_volumes_has_words_of_its_own(make: Any) -> None:
    html = make(target="volume_grade", protocol="paper", unit="subject")
    assert "the test sides of its three splits overlap" in html
    assert "copies of one image" not in html


@pytest.fixture
def tumour_page(tmp_path: Path) -> Any:
    """Writes the page of 12 images in 10 groups of copies, and returns its text without tags and the summary."""

    def page(protocol: str = "patient", **facts: Any) -> tuple[str, dict[str, Any]]:
        classes, labels = ("none", "tumour"), np.arange(12) % 2
        groups = [f"y{max(number, 2):02d}" for number in range(12)]
        images = [f"y{number:02d}" for number in range(12)]
        rows = pd.DataFrame({"subject": groups, "scan": images} if protocol == "patient" else {"subject": images})
        truth = np.asarray(classes)[labels]
        rows = rows.assign(truth=truth, predicted=truth, p_none=0.9 - 0.8 * labels, p_tumour=0.1 + 0.8 * labels)
        reason = "masks to measure it in are missing"
        summary = {
            "target": "tumour",
            "protocol": protocol,
            "unit": "subject",
            "side": "test",
            "phantom": False,
            "split_hash": "0123456789abcdef",
            "weights": {"epoch": 7},
            "sees_clinical": False,
            "class_shares": {"none": 0.25, "tumour": 0.75},
            **summarise_classification(rows, rows, classes, Baselines({}, {"tumour volume alone": reason})),
            "shortcuts": {
                "warnings": [
                    "The size of the picture tells tumour from none. Report pictures of each size on their own as well."
                ],
                "questions": [{"question": "tumour", "note": "too few per class to judge.", "too_small": {}}],
            },
            **facts,
        }
        summary["verdict"] = judge_evidence(summary).to_json()
        records = [{"subject": name, "source": "br35h"} for name in images]
        write_page(tmp_path / "tumour.html", summary, rows, records, {})
        text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", (tmp_path / "tumour.html").read_text(encoding="utf-8"))
        return " ".join(text.split()), summary

    return page


@pytest.mark.parametrize("permuted_labels", [False, True])
@pytest.mark.parametrize(("protocol", "side"), [("patient", "test"), ("patient", "validation"), ("paper", "test")])
def test_where_no_patient_is_known_none_is_named(
    tumour_page: Any, protocol: str, side: str, permuted_labels: bool
) -> None:
    """But for the knob's value, `patient`, which is explained."""
    text, _ = tumour_page(protocol, side=side, permuted_labels=permuted_labels)
    assert "patient" not in text.lower()
    assert not re.search(r"\bscans?\b", text)


def test_groups_of_copies_and_images_are_counted(tumour_page: Any) -> None:
    text, summary = tumour_page()
    assert in_order(text, "10 groups of copies, 12 images", "6 none, 6 tumour", "Br35H (12)")
    assert "Only 10 groups of copies: the intervals are rough" in text
    assert in_order(text, "over groups of copies", "jackknife")
    assert "Confusion matrix of images: shares of each true class" in text
    assert in_order(text, "No baseline of tumour volume alone", "masks to measure it in are missing")
    assert "Not judged: tumour: too few per class to judge." in text
    assert "Every image" in text
    assert "group of copies image truth" in text
    table = class_table(summary)
    assert list(table)[:3] == ["class", "images", "measure"]
    assert table.drop_duplicates("class")["images"].tolist() == [12, 6, 6]


def test_images_are_what_the_paper_split(tumour_page: Any) -> None:
    text, _ = tumour_page("paper")
    assert "12 images of the test side: 6 none, 6 tumour." in text
    assert "copies of one image are on both sides of the split" in text
    assert "how well the network works on a new image." in text
    assert "trained on copies of the images" in text
    assert "bootstrap over images" in text


def test_few_patients_of_a_class_are_told(tumour_page: Any) -> None:
    """Six images of each class are enough, three are not; with one, macro F1 has no interval to warn of."""
    enough, summary = tumour_page()
    assert "macro F1 is too narrow" not in enough
    few = {name: {**found, "patients": 3 if name == "tumour" else 1} for name, found in summary["per_class"].items()}
    text, _ = tumour_page(per_class=few)
    assert "Only 3 images of tumour: the interval of macro F1 is too narrow." in text
    assert "images of none: the interval" not in text


def test_an_epoch_that_was_not_chosen_is_told(tumour_page: Any) -> None:
    _, summary = tumour_page()
    text, _ = tumour_page(weights={**summary["weights"], "kept": "last epoch"})
    assert "the last: too few validation patients to choose one by" in text
