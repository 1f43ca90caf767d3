from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from common.reproduction.evaluation import Evaluation
from common.reproduction.figures.bars import draw_bars
from common.reproduction.figures.confusion import draw_confusions
from common.reproduction.figures.drawings import draw_figures
from common.reproduction.figures.material import Material
from common.reproduction.figures.roc import draw_roc_curves
from common.reproduction.papers.catalogue import find_table
from common.reproduction.table_plan import BY_PATIENT, COLUMNS, PUBLISHED, PaperFigure

Leave = Callable[..., None]
NAMES = ("short", "mid", "long")


@pytest.fixture
def material(tmp_path: Path, leave_evaluation: Leave) -> Material:
    leave_evaluation(tmp_path / "run")
    return Material({"net": [Evaluation(tmp_path / "run")]}, ())


def planned(drawing: str, **others: object) -> PaperFigure:
    return PaperFigure("p1-figure10", "confusion", "P1, figure 10", drawing, {"net": "net"}, **others)  # type: ignore[arg-type]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def counts(figure: Figure, panel: int) -> list[int]:
    return [int(text.get_text().split("\n")[1]) for text in figure.axes[panel].texts]


def test_the_printed_matrix_stands_beside_samples_and_patients(material: Material) -> None:
    plan = planned("confusion", published={"short": (11, 23, 2), "mid": (8, 22, 8), "long": (2, 0, 46)})
    figure = draw_confusions(plan, material)
    assert titles(figure) == ["P1, figure 10 (n = 122)", "images or slices (n = 8)", "patients (n = 4)"]
    assert counts(figure, 0) == [11, 23, 2, 8, 22, 8, 2, 0, 46]
    assert counts(figure, 1) == [4, 0, 0, 0, 1, 1, 2, 0, 0]  # C is once mid and once long, D twice short
    assert counts(figure, 2) == [2, 0, 0, 0, 1, 0, 1, 0, 0]


def test_repeats_are_added_up(material: Material) -> None:
    twice = Material({"net": [*material.evaluations["net"]] * 2}, ())
    assert counts(draw_confusions(planned("confusion"), twice), 1) == [4, 0, 0, 0, 2, 0, 2, 0, 0]


def test_each_class_has_a_curve_over_samples_and_over_patients(material: Material) -> None:
    figure = draw_roc_curves(planned("roc", published={"short": (0.78,)}), material)
    assert titles(figure) == ["images or slices", "patients"]
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    # A and B are short; of the others C has 0.1 and D 0.8: 2 pairs right, 2 equal. All have 0.1 for long.
    assert labels == ["chance, AUC 0.50", "short (printed 0.78), AUC 0.75", "mid, AUC 1.00", "long, AUC 0.50"]


def test_bars_stand_in_the_outline_of_what_was_printed(material: Material) -> None:
    plan = planned("bars", measures=("accuracy", "macro_f1"), published={"others": (0.5, 0.4), "net": (0.9, 0.8)})
    axes = draw_bars(plan, material).axes[0]
    heights = {str(bars.get_label()): [bar.get_height() for bar in bars] for bars in axes.containers}
    assert heights == {
        "others, printed": [0.5, 0.4],
        "net, printed": [0.9, 0.8],
        "net, measured": [0.625, pytest.approx((0.8 + 2 / 3 + 0) / 3)],
    }


def test_a_figure_is_saved_for_each_column_that_has_runs(
    tmp_path: Path, leave_evaluation: Leave, material: Material
) -> None:
    found = {("survival/final", column.name): material.evaluations["net"] for column in (PUBLISHED, BY_PATIENT)}
    drawn = draw_figures(find_table("p1-table6"), COLUMNS, found, (), tmp_path)
    names = ["p1-figure10-paper", "p1-figure10-paper_by_patient", "p1-figure12-paper", "p1-figure12-paper_by_patient"]
    assert [one.path.stem for one in drawn] == names
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == sorted(names)
    assert {one.heading for one in drawn} == {PUBLISHED.heading, BY_PATIENT.heading}
