"""How well a small classifier predicts classes from traits, and how well by chance.

A logistic regression is cross-validated, and again with labels that are shuffled between patients. The shuffles make
the test exact, for any number of patients and of traits. The test statistic is the log loss. The AUC is easier to
read, but it looks at ranks alone: with few patients it reaches 1 by chance, even where the probabilities of the classes
hardly differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    BaseCrossValidator,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from common.metrics.measures import Cohorts, class_areas

FOLDS = 3
REPEATS = 3
ENOUGH = 20
"""Shuffles as good as the true labels, after which no more are drawn (Besag & Clifford, Biometrika 78, 1991)."""

MOST_KINDS = 32
"""Of a trait in words; rarer ones count as one, such as the sizes of pictures from many sites."""

LEAST_SHARE = 1e-12
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
        classes: of more than two, each that the traits tell from all others, and their AUC; highest first.
    """

    auc: float
    chance: float
    p_value: float
    level: float
    alone: Mapping[str, float]
    classes: Mapping[str, float] = field(default_factory=dict)

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
    true = _cross_validate(together, labels, folds)
    chance: list[Score] = []
    better = 0
    while len(chance) < shuffles and better < ENOUGH:
        chance.append(_cross_validate(together, random.permutation(labels), folds))
        better += chance[-1].likelihood >= true.likelihood
    p_value = better / len(chance) if better == ENOUGH else (1 + better) / (1 + shuffles)
    repeated = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    alone = {
        name: float(cross_val_score(_classifier(), table, labels, scoring=AREA, cv=repeated).mean())
        for name, table in encoded.items()
    }
    limit = float(np.quantile([score.auc for score in chance], 1 - level))
    classes = _told_classes(true, chance, np.unique(labels), level) if p_value <= level else {}
    return Probed(true.auc, limit, p_value, level, _ranked(alone), _ranked(classes))


def _classifier() -> LogisticRegression:
    return LogisticRegression(class_weight="balanced", max_iter=1000)


class Score(NamedTuple):
    """Cross-validated: the AUC and the mean log-likelihood, and both of each class against the others (2, classes)."""

    auc: float
    likelihood: float
    classes: np.ndarray


def _cross_validate(table: np.ndarray, labels: np.ndarray, folds: BaseCrossValidator) -> Score:
    """How well held-out labels are predicted; scikit-learn's own functions take twice the time."""
    areas, likelihoods, of_classes = [], [], []
    for fitted, held_out in folds.split(table, labels):
        classifier = _classifier().fit(table[fitted], labels[fitted])
        shares, truth = classifier.predict_proba(table[held_out]), labels[held_out]
        places = np.searchsorted(classifier.classes_, truth)
        likelihoods.append(np.log(shares[np.arange(len(truth)), places]).mean())
        of_each = class_areas(Cohorts(places, shares, np.ones((1, len(places)))))[0]
        areas.append(of_each.mean())  # of two classes both are the same
        if len(of_each) > 2:
            of_classes.append(np.stack([of_each, _likelihoods(places, shares)]))
    classes = np.mean(of_classes, axis=0) if of_classes else np.empty((2, 0))
    return Score(float(np.mean(areas)), float(np.mean(likelihoods)), classes)


def _likelihoods(places: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The mean log-likelihood (classes,) of each class against the others.

    Args:
        places: of the true classes (n,).
        shares: their probabilities (n, classes).
    """
    is_class = places[:, None] == np.arange(shares.shape[1])
    return np.log(np.clip(np.where(is_class, shares, 1 - shares), LEAST_SHARE, 1)).mean(axis=0)


def _told_classes(true: Score, chance: Sequence[Score], names: np.ndarray, level: float) -> dict[str, float]:
    """The AUC of the classes that are told from the others better than shuffled labels are.

    They are asked only where the classes as a whole are predicted, so that chance gets no further try.
    """
    if not true.classes.size:
        return {}
    better = np.sum([score.classes[1] >= true.classes[1] for score in chance], axis=0)
    told = zip(names, true.classes[0], (1 + better) / (1 + len(chance)), strict=True)
    return {str(name): float(auc) for name, auc, p_value in told if p_value <= level}


def _ranked(areas: Mapping[str, float]) -> dict[str, float]:
    """The highest first."""
    return dict(sorted(areas.items(), key=lambda item: -item[1]))


def encode(table: pd.DataFrame, fitted_on: int | None = None) -> np.ndarray:
    """Categories as 0 and 1, numbers standardised. It sees no label.

    Args:
        table: of :func:`~common.shortcuts.traits.find_traits`, one row per patient.
        fitted_on: how many of the first patients say which categories there are and how numbers are scaled; ``None``
            for all.

    Returns:
        float (patients, columns).
    """
    categories = OneHotEncoder(
        min_frequency=2, max_categories=MOST_KINDS, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    is_number = make_column_selector(dtype_include="number")
    is_category = make_column_selector(dtype_exclude="number")
    encoder = make_column_transformer((categories, is_category), (numbers, is_number))
    return encoder.fit(table.iloc[:fitted_on]).transform(table)
