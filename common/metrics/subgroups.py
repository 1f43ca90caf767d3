"""Some classes on their own: what a network says of those who have one of them, if it must choose among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from common.metrics.bootstrap import divide
from common.metrics.judgement import probabilities_of


def among(probabilities: np.ndarray, classes: Sequence[str], kept: Sequence[str]) -> np.ndarray:
    """Probabilities (n, K) of all classes as those of the ``kept`` ones, which add up to 1.

    Where all of them are 0 they are alike.
    """
    places = [list(classes).index(name) for name in kept]
    chosen = probabilities[:, places]
    shares = divide(chosen, chosen.sum(axis=1, keepdims=True))
    return np.where(np.isnan(shares), 1 / len(kept), shares)


def restrict(rows: pd.DataFrame, classes: Sequence[str], kept: Sequence[str]) -> pd.DataFrame:
    """The rows of those who have one of the ``kept`` classes, their probabilities and answer among these alone.

    Args:
        rows: ``subject``, ``truth``, ``predicted`` and ``p_<class>``.
        classes: of the rows.
        kept: some of them.
    """
    chosen = rows[rows["truth"].isin(kept)].drop(columns=[f"p_{name}" for name in classes])
    shares = among(probabilities_of(rows, classes), classes, kept)[rows["truth"].isin(kept)]
    return chosen.assign(
        **{f"p_{name}": shares[:, place] for place, name in enumerate(kept)},
        predicted=np.asarray(kept, dtype=object)[shares.argmax(axis=1)],
    )
