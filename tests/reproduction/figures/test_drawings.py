from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from common.records import Record
from common.reproduction.evaluation import Evaluation
from common.reproduction.figures.bars import draw_bars
from common.reproduction.figures.confusion import draw_confusions
from common.reproduction.figures.curves import draw_curves
from common.reproduction.figures.drawings import draw_figures
from common.reproduction.figures.heat_maps import draw_heat_maps
from common.reproduction.figures.material import Material
from common.reproduction.figures.roc import draw_roc_curves
from common.reproduction.figures.slices import draw_sequences, draw_slice_places, draw_three_slices
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
    slices, patients = ([text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes)
    # A and B are short; of the others C has 0.1 and D 0.8: 2 pairs right, 2 equal. All have 0.1 for long.
    assert patients == ["chance, AUC 0.50", "short, AUC 0.75", "mid, AUC 1.00", "long, AUC 0.50"]
    assert slices[1] == "short (printed 0.78), AUC 0.75"  # what is printed counts slices


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


def test_curves_have_a_panel_for_what_was_recorded_and_a_line_a_fold(material: Material, tmp_path: Path) -> None:
    assert draw_curves(planned("curves"), material) is None  # nothing was recorded
    for fold in range(2):
        folder = tmp_path / f"fold{fold}"
        shutil.copytree(tmp_path / "run", folder)
        rows = {"epoch": [1, 2], "train_loss": [0.7, 0.5], "train_accuracy": [0.6, 0.8]}
        pd.DataFrame(rows | {"val_log_likelihood": [None, -0.4 - fold], "seconds": [1, 2]}).to_csv(
            folder / "history.csv", index=False
        )
    found = Material({"A": [Evaluation(tmp_path / f"fold{fold}", fold) for fold in range(2)]}, ())
    figure = draw_curves(planned("curves", published={"training accuracy": (0.61, 0.93)}), found)
    assert figure is not None
    assert titles(figure) == ["training loss", "validation loss", "training accuracy"]
    drawn = [[[*line.get_xdata()], [*line.get_ydata()]] for line in figure.axes[1].lines]
    assert drawn == [[[2], [0.4]], [[2], [1.4]]]  # a loss, not a log-likelihood; the first epoch was not validated
    printed = [[*line.get_xdata(), *line.get_ydata()] for line in figure.axes[2].lines[2:]]
    assert printed == [[1, 0.61], [2, 0.93]]


def leave_heat_maps(folder: Path, predicted: dict[str, int], shade: float) -> None:
    """Of images of class 1 (mid), which are grey of that shade."""
    np.savez(
        folder / "heat_maps.npz",
        names=np.array([*predicted]),
        truth=np.ones(len(predicted), dtype=int),
        predicted=np.array([*predicted.values()]),
        images=np.full((len(predicted), 1, 8, 8), shade, dtype=np.float16),
        maps=np.zeros((len(predicted), 8, 8), dtype=np.float16),
    )


def test_heat_maps_are_of_an_image_that_all_networks_are_right_about(tmp_path: Path, leave_evaluation: Leave) -> None:
    found = {"A": {"x1": 1, "x2": 0, "x3": 1}, "B": {"x1": 0, "x3": 1, "x4": 1}}
    evaluations = {}
    for net in found:
        leave_evaluation(tmp_path / net)
        evaluations[net] = [Evaluation(tmp_path / net)]
    assert draw_heat_maps(planned("heat maps", measures=("mid",)), Material(evaluations, ())) is None
    for net, predicted in found.items():
        leave_heat_maps(tmp_path / net, predicted, 0.5)
    figure = draw_heat_maps(planned("heat maps", measures=("mid",)), Material(evaluations, ()))
    assert figure is not None
    assert figure.get_suptitle() == "x3: mid"
    assert titles(figure)[:3] == ["", "A", "B"]
    leave_heat_maps(tmp_path / "B", {"x1": 0, "x2": 1}, 0.5)  # never both right
    figure = draw_heat_maps(planned("heat maps", measures=("mid",)), Material(evaluations, ()))
    assert figure is not None
    assert (figure.get_suptitle(), titles(figure)[:3]) == ("x1: mid", ["", "A", "B (wrong)"])
    assert draw_heat_maps(planned("heat maps", measures=("long",)), Material(evaluations, ())) is None


def test_three_slices_lie_30_mm_apart_around_the_middle(tmp_path: Path) -> None:
    """P1, figures 1 to 3, of a volume that is stored upside down and 1 mm thick."""
    volume = np.zeros((20, 30, 100), dtype=np.int16)
    volume[5:15, 5:25, 10:60] = np.arange(10, 60)  # the index along z, as it is stored
    record: Record = {"subject": "a"}
    for name in ("flair", "t1", "t1ce", "t2"):
        nib.save(nib.Nifti1Image(volume, np.diag([1, 1, -1, 1])), tmp_path / f"{name}.nii.gz")
        record[name] = str(tmp_path / f"{name}.nii.gz")  # type: ignore[literal-required]
    material = Material({}, [record])
    places = draw_slice_places(planned("slice places"), material)
    assert places is not None
    heights = [line.get_ydata()[0] for line in places.axes[0].lines]  # type: ignore[index]
    assert heights == [79, 49, 19]  # rows from the top: the middle of 100 lies between 49 and 50 from below, rounded up
    slices = draw_three_slices(planned("three slices"), material)
    assert slices is not None
    assert titles(slices) == ["slice 20", "slice 50", "slice 80"]
    shown = [axes.images[0].get_array() for axes in slices.axes]
    assert [int(image.max()) for image in shown if image is not None][1:] == [49, 19]
    sequences = draw_sequences(planned("sequences"), material)
    assert sequences is not None
    assert titles(sequences) == ["flair", "t1", "t1ce", "t2"]
