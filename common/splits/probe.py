"""How well a small classifier tells classes from traces, and how well by chance.

A logistic regression is judged by cross-validated AUC against the AUC that it reaches when the labels are shuffled
between patients. The shuffles make the test exact, however few the patients and however many the traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, cross_val_score, permutation_test_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDS = 3
REPEATS = 3
SCORING = "roc_auc_ovr"


@dataclass(frozen=True)
class Probed:
    """How well traces tell classes.

    Args:
        auc: cross-validated AUC of all traces together (one-vs-rest macro for more than two classes).
        chance: the AUC that only a share of ``level`` of the label shuffles exceeds.
        p_value: share of label shuffles that reach ``auc``.
        level: below or at which a p-value is no chance.
        alone: the cross-validated AUC of each trace alone, highest first.
    """

    auc: float
    chance: float
    p_value: float
    level: float
    alone: Mapping[str, float]

    @property
    def telling(self) -> dict[str, float]:
        """The traces that tell the classes by themselves; none where nothing beats chance."""
        return {name: auc for name, auc in self.alone.items() if auc > self.chance} if self.beats_chance else {}

    @property
    def beats_chance(self) -> bool:
        """Whether the traces together tell more than shuffled labels do."""
        return self.p_value <= self.level


def probe(traces: Mapping[str, pd.DataFrame], labels: np.ndarray, seed: int, shuffles: int, level: float) -> Probed:
    """Judge traces.

    Args:
        traces: a table a trace, a row a patient: text columns for categories, float columns for numbers.
        labels: the classes' names (n,).
        seed: of the folds and of the shuffles.
        shuffles: how often the labels are shuffled; the least p-value is 1 / (shuffles + 1).
        level: the share of false alarms on cohorts in which nothing tells the classes.
    """
    encoded = {name: _encode(table) for name, table in traces.items()}
    classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
    auc, shuffled, p_value = permutation_test_score(
        classifier,
        np.hstack(list(encoded.values())),
        labels,
        scoring=SCORING,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
        n_permutations=shuffles,
        random_state=seed,
    )
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    alone = {
        name: float(cross_val_score(classifier, table, labels, scoring=SCORING, cv=folds).mean())
        for name, table in encoded.items()
    }
    ranked = dict(sorted(alone.items(), key=lambda item: -item[1]))
    return Probed(float(auc), float(np.quantile(shuffled, 1 - level)), float(p_value), level, ranked)


def _encode(table: pd.DataFrame) -> np.ndarray:
    """Categories as 0 and 1, numbers standardised. It sees no label, so it may see all patients."""
    categories = OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    is_number = make_column_selector(dtype_include="number")
    is_category = make_column_selector(dtype_exclude="number")
    return make_column_transformer((categories, is_category), (numbers, is_number)).fit_transform(table)
