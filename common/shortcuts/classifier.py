"""How well a small classifier predicts classes from traits, and how well by chance.

A logistic regression is cross-validated, and again with labels that are shuffled between patients. The shuffles make
the test exact, for any number of patients and of traits. The test statistic is the log loss. The AUC is easier to
read, but it looks at ranks alone: with few patients it reaches 1 by chance, even where the probabilities of the classes
hardly differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    BaseCrossValidator,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

FOLDS = 3
REPEATS = 3
ENOUGH = 20
"""Shuffles as good as the true labels, after which no more are drawn (Besag & Clifford, Biometrika 78, 1991)."""

AREA = "roc_auc_ovr"


@dataclass(frozen=True)
class Probed:
    """How well traits predict classes.

    Args:
        auc: cross-validated AUC of all traits together (one-vs-rest macro for more than two classes).
        chance: the AUC that only a share of ``level`` of the label shuffles exceeds.
        p_value: share of label shuffles whose log loss is no higher.
        level: a p-value of at most this is significant.
        alone: the cross-validated AUC of each trait alone, highest first.
    """

    auc: float
    chance: float
    p_value: float
    level: float
    alone: Mapping[str, float]

    @property
    def predictive(self) -> dict[str, float]:
        """The traits that predict the classes by themselves; none where nothing beats chance."""
        return {name: auc for name, auc in self.alone.items() if auc >= self.chance} if self.beats_chance else {}

    @property
    def beats_chance(self) -> bool:
        """Whether the traits together predict the true labels better than shuffled ones."""
        return self.p_value <= self.level


@threadpool_limits.wrap(limits=1)  # hundreds of tiny fits, which several threads only slow down
def probe(traits: Mapping[str, pd.DataFrame], labels: np.ndarray, seed: int, shuffles: int, level: float) -> Probed:
    """Test whether traits predict the labels.

    Args:
        traits: one table per trait with one row per patient: text columns for categories, float columns for numbers.
        labels: the classes' names (n,).
        seed: of the folds and of the shuffles.
        shuffles: how often the labels are shuffled at most; the least p-value is 1 / (shuffles + 1).
        level: the share of false alarms on cohorts in which nothing predicts the classes.
    """
    encoded = {name: encode(table) for name, table in traits.items()}
    together = np.hstack(list(encoded.values()))
    random, folds = np.random.default_rng(seed), StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    auc, likelihood = _cross_validate(together, labels, folds)
    areas: list[float] = []
    better = 0
    while len(areas) < shuffles and better < ENOUGH:
        area, other = _cross_validate(together, random.permutation(labels), folds)
        areas.append(area)
        better += other >= likelihood
    p_value = better / len(areas) if better == ENOUGH else (1 + better) / (1 + shuffles)
    repeated = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    alone = {
        name: float(cross_val_score(_classifier(), table, labels, scoring=AREA, cv=repeated).mean())
        for name, table in encoded.items()
    }
    ranked = dict(sorted(alone.items(), key=lambda item: -item[1]))
    return Probed(auc, float(np.quantile(areas, 1 - level)), p_value, level, ranked)


def _classifier() -> LogisticRegression:
    return LogisticRegression(class_weight="balanced", max_iter=1000)


def _cross_validate(table: np.ndarray, labels: np.ndarray, folds: BaseCrossValidator) -> tuple[float, float]:
    """Cross-validated AUC and mean log-likelihood; scikit-learn's own function takes twice the time."""
    areas, likelihoods = [], []
    for fitted, held_out in folds.split(table, labels):
        classifier = _classifier().fit(table[fitted], labels[fitted])
        shares, truth = classifier.predict_proba(table[held_out]), labels[held_out]
        places = np.searchsorted(classifier.classes_, truth)
        likelihoods.append(np.log(shares[np.arange(len(truth)), places]).mean())
        if shares.shape[1] == 2:
            areas.append(roc_auc_score(places, shares[:, 1]))
        else:
            areas.append(roc_auc_score(truth, shares, multi_class="ovr"))
    return float(np.mean(areas)), float(np.mean(likelihoods))


def encode(table: pd.DataFrame) -> np.ndarray:
    """Categories as 0 and 1, numbers standardised. It sees no label, so it may see all patients.

    Args:
        table: of :func:`~common.shortcuts.traits.find_traits`, one row per patient.

    Returns:
        float (patients, columns).
    """
    categories = OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    is_number = make_column_selector(dtype_include="number")
    is_category = make_column_selector(dtype_exclude="number")
    return make_column_transformer((categories, is_category), (numbers, is_number)).fit_transform(table)
