from __future__ import annotations

import numpy as np

from common.metrics.roc import precision_band, roc_band
from common.reports.classification.curves import draw_days, draw_precision, draw_reliability, draw_roc


def test_a_curve_has_its_area_and_its_band() -> None:
    curve = roc_band(np.array([False, False, True, True]), np.array([0.1, 0.8, 0.7, 0.9]), "abcd")
    (axes,) = draw_roc({"HGG": curve}).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["chance, AUC 0.50", "HGG, AUC 0.75"]
    assert len(axes.collections) == 1


def test_reliability_shows_how_many_stand_behind_a_point() -> None:
    points = {"HGG": (np.array([0.1, 0.9]), np.array([0.0, 1.0]))}
    above, below = draw_reliability(points, np.array([[0.1], [0.9], [0.95]])).axes
    assert above.lines[1].get_xydata().tolist() == [[0.1, 0.0], [0.9, 1.0]]
    assert [bar.get_height() for bar in below.patches] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 2]


def test_who_is_alive_has_another_marker() -> None:
    figure = draw_days(np.array([100.0, 300.0]), np.array([200.0, 250.0]), np.array([False, True]))
    died, alive = figure.axes[0].collections
    assert died.get_offsets().tolist() == [[100, 200]]
    assert alive.get_offsets().tolist() == [[300, 250]]
    assert figure.axes[0].get_xlim()[1] >= 300


def test_precision_is_drawn_with_its_band_and_what_chance_has() -> None:
    band = precision_band(np.array([False, False, True, True]), np.array([0.1, 0.8, 0.7, 0.9]), "abcd")
    (axes,) = draw_precision({"HGG": band}).axes
    (label,) = [text.get_text() for text in axes.get_legend().get_texts()]
    assert label == "HGG, average precision 0.83 (chance 0.50)"  # 1/2 + 1/2 * 2/3
    assert len(axes.collections) == 1
