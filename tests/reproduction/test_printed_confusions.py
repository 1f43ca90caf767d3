"""What P1's text leaves of figures 9 and 10: all matrices of 122 images (a fifth of 608) that fit tables 5 and 6."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from common.reproduction.papers.p1_figures import GRADE_CONFUSION
from common.tasks.grade import TABLE_5
from common.tasks.published import Published
from common.tasks.survival import FROM_IMAGES

IMAGES = 122
ROUNDED, LOOSE = 0.005, 0.01


def measures_of(matrix: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Precision, recall and F1 of each class, their means, and the accuracy."""
    hits, truth, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    of_classes = {"precision": hits / predicted, "recall": hits / truth, "f1": 2 * hits / (predicted + truth)}
    means = {f"macro_{name}": values.mean() for name, values in of_classes.items()}
    single = {
        f"{name} {kind}": value for name, row in of_classes.items() for kind, value in zip(classes, row, strict=True)
    }
    return {**single, **means, "accuracy": hits.sum() / matrix.sum()}


def fits(matrix: np.ndarray, printed: Published, tolerance: float) -> bool:
    found = measures_of(matrix, tuple(printed.per_class))
    told = {f"{name} {kind}": value for kind, row in printed.per_class.items() for name, value in row.items()}
    told |= {name: printed.measures[name] for name in ("macro_precision", "macro_recall", "macro_f1", "accuracy")}
    return all(abs(found[name] - value) <= tolerance + 1e-9 for name, value in told.items())


def near(right: int, all_: int, printed: float) -> bool:
    return abs(right / all_ - printed) <= LOOSE


def survival_matrices() -> Iterator[np.ndarray]:
    """With 25 errors among the short survivors, 23 of them as mid, and recalls and accuracy near the printed ones."""
    short, mid, long = (FROM_IMAGES.per_class[kind]["recall"] for kind in ("short", "mid", "long"))
    sides = ((a, g, g + wrong) for a in range(1, 40) for g in range(1, 90) for wrong in range(9))
    for a, g, longs in sides:
        mids = IMAGES - a - 25 - longs
        if mids < 1 or not (near(a, a + 25, short) and near(g, longs, long)):
            continue
        for c in range(mids + 1):
            if near(c, mids, mid) and near(a + c + g, IMAGES, FROM_IMAGES.measures["accuracy"]):
                for b in range(mids - c + 1):
                    for e in range(longs - g + 1):
                        yield np.array([[a, 23, 2], [b, c, mids - c - b], [e, longs - g - e, g]])


def test_figure_9_is_determined_by_its_errors_and_table_5() -> None:
    found = [
        (lgg, IMAGES - 4 - lgg)
        for lgg in range(1, IMAGES - 4)
        if fits(np.array([[lgg, 3], [1, IMAGES - 4 - lgg]]), TABLE_5, ROUNDED)
    ]
    assert found == [(52, 66)]
    assert GRADE_CONFUSION.published == {"LGG": (52, 3), "HGG": (1, 66)}


def test_figure_10_fits_table_6_only_where_a_value_may_be_off_by_a_hundredth() -> None:
    found = [matrix for matrix in survival_matrices() if fits(matrix, FROM_IMAGES, LOOSE)]
    assert [matrix.tolist() for matrix in found] == [[[11, 23, 2], [8, 22, 8], [2, 0, 46]]]
    assert not fits(found[0], FROM_IMAGES, ROUNDED)
