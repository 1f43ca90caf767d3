"""Subgroups: the patients of some classes only, and the predictions among these classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from common.metrics.bootstrap import divide
from common.metrics.judgement import probabilities_of


def among(probabilities: np.ndarray, classes: Sequence[str], kept: Sequence[str]) -> np.ndarray:
    """Renormalise probabilities over some of the classes.

    Args:
        probabilities: (n, K).
        classes: K names.
        kept: some of them.

    Returns:
        (n, kept), each row with the sum 1; the same value for all where their probabilities are all 0.
    """
    places = [list(classes).index(name) for name in kept]
    chosen = probabilities[:, places]
    shares = divide(chosen, chosen.sum(axis=1, keepdims=True))
    return np.where(np.isnan(shares), 1 / len(kept), shares)


def restrict(rows: pd.DataFrame, classes: Sequence[str], kept: Sequence[str]) -> pd.DataFrame:
    """The rows whose true class is one of the ``kept`` ones, predicted among these alone.

    Args:
        rows: ``subject``, ``truth``, ``predicted`` and ``p_<class>``.
        classes: of the rows.
        kept: some of them.

    Returns:
        The columns of ``rows``, with ``predicted`` and ``p_<class>`` of the ``kept`` classes only.
    """
    chosen = rows[rows["truth"].isin(kept)].drop(columns=[f"p_{name}" for name in classes])
    shares = among(probabilities_of(rows, classes), classes, kept)[rows["truth"].isin(kept)]
    return chosen.assign(
        **{f"p_{name}": shares[:, place] for place, name in enumerate(kept)},
        predicted=np.asarray(kept, dtype=object)[shares.argmax(axis=1)],
    )
