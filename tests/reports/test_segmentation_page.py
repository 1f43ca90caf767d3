from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from common.reports.segmentation import judge_volume, summarise_cohort
from common.reports.segmentation_page import Panel, write_page
from tests.facts import in_order


def logits_of(classes: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(classes, 4).movedim(-1, 0).float()


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Writes the page of ``patients`` perfectly segmented patients and returns its text."""

    def make(patients: int = 2, **facts: Any) -> str:
        truth = torch.zeros(8, 8, 2, dtype=torch.long)
        truth[2:5, 2:5, 1] = 3
        subjects = [f"P{number:02d}" for number in range(patients)]
        row = judge_volume(logits_of(truth), truth[None], (1, 1, 1), whole=True)
        rows = pd.DataFrame([{"subject": subject, **row} for subject in subjects])
        panels = [Panel.of_volume(name, torch.rand(4, 8, 8, 2), truth[None], truth, 4) for name in subjects]
        summary = {
            "recipe": "paper",
            "protocol": "patient",
            "side": "test",
            "phantom": False,
            "split_hash": "0123456789abcdef",
            "weights": {"stage": 1, "epoch": 7},
            **facts,
            **summarise_cohort(rows),
        }
        summary = {key: value for key, value in summary.items() if value is not None}
        records = [{"subject": name, "source": "brats2020", "flair": "no image is opened"} for name in subjects]
        confusion = np.sum([panel.confusion for panel in panels], axis=0)
        write_page(tmp_path / "report.html", summary, rows, panels, confusion, records)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return make


def test_a_panel_shows_the_slice_with_the_most_tumour() -> None:
    truth = torch.zeros(4, 4, 3, dtype=torch.long)
    truth[0, 0, 0], truth[:2, 1, 2] = 1, 2
    predicted = truth.clone()
    predicted[0, 0, 0] = 3
    image = torch.arange(48.0).reshape(1, 4, 4, 3)
    panel = Panel.of_volume("A", image, truth[None], predicted, 4)
    assert np.array_equal(panel.image, image[0, ..., 2])
    assert np.array_equal(panel.truth, truth[..., 2])
    expected = np.zeros((4, 4))
    expected[0, 0], expected[1, 3], expected[2, 2] = 45, 1, 2
    assert np.array_equal(panel.confusion, expected)


def test_the_page_tells_what_was_judged(make: Any) -> None:
    html = make()
    assert "2 patients (4 slices) of the test side." in html
    assert in_order(
        html, "BraTS 2020 (2)", "Recipe: that of the paper", "by patient (0123456789ab)", "stage 1, epoch 7"
    )
    assert "P01: WT Dice 1.000" in html
    assert html.count("<img") == 3  # two patients and the confusion matrix


def test_a_summary_of_an_older_version_does_not_say_whether_it_is_of_phantoms(make: Any) -> None:
    told = "Whether these images are phantoms has not been recorded."
    assert told in make(patients=20, phantom=None)
    assert told not in make(patients=20)


def test_a_clean_evaluation_of_many_patients_has_no_warning(make: Any, drawn: None) -> None:
    html = make(patients=20)
    assert 'class="warning"' not in html
    assert html.count("<img") == 7  # six of the twenty, from the best to the worst


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"phantom": True}, "These are phantoms"),
        ({"protocol": "paper"}, "slices of one patient are on both sides of the split"),
        ({"side": "validation"}, "The validation side was used while training"),
        ({"patients": 19}, "Only 19 patients"),
    ],
)
def test_what_must_not_be_overlooked_is_a_warning(make: Any, facts: dict[str, Any], warning: str) -> None:
    html = make(**{"patients": 20, **facts})
    assert html.count('class="warning"') == 1
    assert warning in html.partition('class="warning">')[2].partition("</p>")[0]
