"""Tumours on their own: healthy brains of another source are easy to recognise and raise all averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.metrics.intervals.bootstrap import divide
from common.metrics.judgement import probabilities_of
from common.records import HEALTHY
from common.reports.classification.measures import measure_rows


def summarise_tumours(
    rows: pd.DataFrame, classes: Sequence[str], baselines: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The measures of patients with a tumour alone, over the classes of tumours.

    Args:
        rows: of :func:`common.metrics.to_patients`.
        classes: their names, in the order of the labels.
        baselines: probabilities (n, K) for ``rows``, in the same order.

    Returns:
        As of :func:`~common.reports.classification.measures.measure_rows`, with ``name`` and ``taken_for_healthy``;
        empty where there is no healthy class, or no patient has a tumour.
    """
    kept = [name for name in classes if name != HEALTHY]
    is_tumour = rows["truth"].isin(kept).to_numpy()
    if not 1 < len(kept) < len(classes) or not is_tumour.any():
        return {}
    answers = {name: among(answer[is_tumour], classes, kept) for name, answer in baselines.items()}
    return {
        "name": " against ".join(kept),
        "taken_for_healthy": int((rows["predicted"][is_tumour] == HEALTHY).sum()),
        **measure_rows(restrict(rows, classes, kept), kept, answers),
    }


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
