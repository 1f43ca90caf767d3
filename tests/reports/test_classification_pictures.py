from __future__ import annotations

import numpy as np

from common.reports.classification_pictures import draw_days, draw_roc, roc_curves


def test_of_two_classes_the_second_has_a_curve() -> None:
    of_hgg = np.array([0.1, 0.8, 0.7, 0.9])
    curves = roc_curves(np.array([0, 0, 1, 1]), np.stack([1 - of_hgg, of_hgg], axis=1), ("LGG", "HGG"))
    assert list(curves) == ["HGG"]
    legend = [text.get_text() for text in draw_roc(curves).axes[0].get_legend().get_texts()]
    assert legend == ["chance, AUC 0.50", "HGG, AUC 0.75"]


def test_a_class_that_nobody_has_gets_no_curve() -> None:
    curves = roc_curves(np.array([0, 1, 1]), np.eye(3)[[0, 1, 2]], ("short", "mid", "long"))
    assert list(curves) == ["short", "mid"]


def test_who_is_alive_has_another_marker() -> None:
    figure = draw_days(np.array([100.0, 300.0]), np.array([200.0, 250.0]), np.array([False, True]))
    died, alive = figure.axes[0].collections
    assert died.get_offsets().tolist() == [[100, 200]]
    assert alive.get_offsets().tolist() == [[300, 250]]
    assert figure.axes[0].get_xlim()[1] >= 300
