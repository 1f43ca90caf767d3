from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from common.cohorts import read_cohort
from common.reproduction.evaluation import Evaluation
from common.reproduction.figures.class_measures import draw_class_measures
from common.reproduction.figures.example import draw_example
from common.reproduction.figures.masks import ASSIGNED, TRUE, correlate, draw_channel_shares, draw_components
from common.reproduction.figures.material import Material
from common.reproduction.figures.voxels import draw_log_counts
from common.reproduction.papers import p3_figures, p4_figures

Leave = Callable[..., None]


@pytest.fixture
def evaluation(tmp_path: Path, leave_evaluation: Leave) -> Evaluation:
    """Eight slices with shares: NCR grows with the true bin, ED falls with the assigned one, ET does not vary."""
    leave_evaluation(tmp_path, mask_features={"explained": [0.75, 0.2]})
    rows = pd.read_csv(tmp_path / "samples.csv")
    true = rows["truth"].str.split().str[0].map({"short": 0, "mid": 1, "long": 2})
    assigned = rows[[name for name in rows if name.startswith("p_")]].to_numpy().argmax(axis=1)
    rows = rows.assign(share_NCR=0.1 + 0.01 * true, share_ED=0.5 - 0.1 * assigned, share_ET=0.2)
    rows.to_csv(tmp_path / "samples.csv", index=False)
    return Evaluation(tmp_path)


def test_shares_are_correlated_with_true_and_assigned_bins(evaluation: Evaluation) -> None:
    found = correlate(evaluation, evaluation.samples)
    assert found.loc[TRUE, "NCR"] == pytest.approx(1)
    assert found.loc[ASSIGNED, "ED"] == pytest.approx(-1)
    assert np.isnan(found.loc[TRUE, "ET"])
    assert -1 < found.loc[TRUE, "ED"] < 1
    figure = draw_channel_shares(p3_figures.SHARES, Material({"P3": [evaluation]}, ()))
    assert figure is not None
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["all slices (n = 8)", "slices with tumour (n = 7)", ""]  # and the colours' scale


def test_without_shares_or_features_nothing_is_drawn(tmp_path: Path, leave_evaluation: Leave) -> None:
    leave_evaluation(tmp_path)
    material = Material({"P3": [Evaluation(tmp_path)]}, ())
    assert draw_channel_shares(p3_figures.SHARES, material) is None
    assert draw_components(p3_figures.COMPONENTS, material) is None


def test_components_are_drawn_by_the_true_bin(evaluation: Evaluation) -> None:
    rows = evaluation.samples[["subject", "sample", "truth"]]
    rows.assign(component_1=range(8), component_2=0.0).to_csv(evaluation.folder / "mask_features.csv", index=False)
    figure = draw_components(p3_figures.COMPONENTS, Material({"P3": [evaluation]}, ()))
    assert figure is not None
    (axes,) = figure.axes
    assert {str(dots.get_label()): len(dots.get_offsets()) for dots in axes.collections} == {
        "short": 4,
        "mid": 2,
        "long": 2,
    }
    assert axes.get_xlabel() == "component 1 (75% of the variance)"


def test_voxels_are_shown_by_the_logarithm_of_their_number(tmp_path: Path, leave_evaluation: Leave) -> None:
    counts = np.diag([1_000_000, 100, 10, 1]) + np.eye(4, k=1) * 1000
    leave_evaluation(tmp_path)
    np.savetxt(tmp_path / "confusion_matrix.csv", counts, delimiter=",")
    evaluation = Evaluation(tmp_path)
    figure = draw_log_counts(p3_figures.VOXELS, Material({"P3": [evaluation, evaluation]}, ()))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[0] == "6.30\n2,000,000"  # log10 of both runs' sum
    assert texts[1] == "3.30\n2,000"
    assert texts[4] == "\N{EN DASH}\n0"


def test_heat_maps_have_a_row_for_each_network(tmp_path: Path, leave_evaluation: Leave) -> None:
    for number, value in enumerate((0.25, 0.75)):
        leave_evaluation(tmp_path / str(number), value)
    runs = [Evaluation(tmp_path / str(number)) for number in range(2)]
    figure = draw_class_measures(p4_figures.HEAT_MAPS, Material({"MC3": runs, "R3D": runs[:1]}, (), "patients"))
    assert [axes.get_title() for axes in figure.axes] == ["short", "mid", "long"]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert (texts[0], texts[3], texts[4]) == ("0.500", "0.500", "0.250")
    assert texts[2] == "\N{EN DASH}"  # the runs have no specificity
    assert [text.get_color() for text in figure.axes[0].texts[:3]] == ["white", "white", "black"]


def test_an_example_shows_the_images_and_the_masks_of_the_slice_with_most_tumour(phantom_dir: Path) -> None:
    record = read_cohort(phantom_dir)[0]
    figure = draw_example(p3_figures.EXAMPLE, Material({}, [{"subject": "without"}, record]))  # type: ignore[list-item]
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes] == ["flair", "t1", "t1ce", "t2", "NCR", "ED", "ET"]
    shown = sum(np.asarray(axes.images[0].get_array()).sum() for axes in figure.axes[4:])
    voxels = np.asarray(nib.load(record["seg"]).dataobj)
    assert shown == max((voxels[..., depth] > 0).sum() for depth in range(voxels.shape[2]))
    assert figure.axes[4].images[0].get_clim() == (0, 1)  # a mask of ones alone is not black
    assert draw_example(p3_figures.EXAMPLE, Material({}, ())) is None
