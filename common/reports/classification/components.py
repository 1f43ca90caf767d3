"""Features of a network in two dimensions (P3, figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

COMPONENTS = ("component_1", "component_2")


def principal_components(rows: pd.DataFrame, features: Sequence[np.ndarray]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The first two principal components.

    Args:
        rows: what names each sample; kept.
        features: of each row, (units,).

    Returns:
        The rows with ``component_1`` and ``component_2``, and ``explained``: the share of the variance in each.
        Both are empty where there are fewer than two samples or units.
    """
    table = np.stack(list(features)) if len(features) else np.empty((0, 0))
    if min(table.shape) < len(COMPONENTS):
        return pd.DataFrame(), {}
    analysis = PCA(len(COMPONENTS), svd_solver="full")
    with np.errstate(invalid="ignore"):  # 0 / 0 where all samples are equal
        placed = analysis.fit_transform(table.astype(float))
    explained = np.nan_to_num(analysis.explained_variance_ratio_)
    named = rows.assign(**{name: placed[:, place] for place, name in enumerate(COMPONENTS)})
    return named, {"explained": explained.tolist()}
