"""Tumours on their own: healthy brains of another source are easy to recognise and raise all averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.metrics.subgroups import among, restrict
from common.records import HEALTHY
from common.reports.classification.measures import measure_rows


def summarise_tumours(
    rows: pd.DataFrame, classes: Sequence[str], baselines: Mapping[str, np.ndarray], seed: int = 0
) -> dict[str, Any]:
    """The measures of patients with a tumour alone, over the classes of tumours.

    Args:
        rows: of :func:`common.metrics.to_patients`.
        classes: their names, in the order of the labels.
        baselines: probabilities (n, K) for ``rows``, in the same order.
        seed: of the bootstrap.

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
        **measure_rows(restrict(rows, classes, kept), kept, answers, seed),
    }
