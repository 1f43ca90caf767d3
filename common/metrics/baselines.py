"""Baselines that need no network and that a claim must beat, fitted on the training side alone.

They predict the same test patients as the network. *Properties of the scan alone* see what the probe sees, such
as data set, voxel size and intensities, and no tumour. *Missing values alone* only sees which values were recorded: in
BraTS no low-grade patient has an age, so this predicts the grade without any image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MAJORITY, MISSING, SCAN = "majority class", "missing values alone", "properties of the scan alone"
AGE, VOLUME = "age alone", "tumour volume alone"
RECORDED = ("age", "resection", "survival_days")

Patient = Mapping[str, Any]


@dataclass(frozen=True)
class Baselines:
    """What the baselines predicted.

    Args:
        probabilities: (n, K) under the name of each baseline that could be fitted.
        left_out: the reason, for each baseline that could not be fitted.
    """

    probabilities: Mapping[str, np.ndarray]
    left_out: Mapping[str, str]


def fit_baselines(
    train: Sequence[Patient],
    test: Sequence[Patient],
    classes: Sequence[str],
    seed: int = 0,
    recorded: Sequence[str] = RECORDED,
    traits: tuple[np.ndarray, np.ndarray] | None = None,
) -> Baselines:
    """Fit every baseline to ``train`` and predict ``test``.

    Args:
        train: records with ``label``, ``age``, ``resection``, ``survival_days`` and ``tumour_ml``, absent or ``None``
            where not known.
        test: records of the same; their labels are not used.
        classes: their names, in the order of the labels.
        seed: of the fits.
        recorded: the values of which *missing values alone* sees whether they are recorded; the target itself must not
            be among them.
        traits: of ``train`` and of ``test``, as of :func:`common.shortcuts.trait_tables`; ``None`` where nobody looked.

    Returns:
        The predicted probabilities, and the reasons for the baselines that were left out.
    """
    labels = np.array([int(record["label"]) for record in train])
    if not len(np.unique(labels)) > 1:
        reason = "the training side holds one class only" if len(labels) else "the training side is empty"
        return Baselines({}, dict.fromkeys((MAJORITY, MISSING, SCAN, AGE, VOLUME), reason))
    tables = {
        MISSING: [_are_recorded(patients, recorded) for patients in (train, test)],
        **({SCAN: traits} if traits is not None else {}),
        AGE: [_numbers(patients, "age") for patients in (train, test)],
        VOLUME: [np.log1p(_numbers(patients, "tumour_ml")) for patients in (train, test)],
    }
    found = {
        MAJORITY: _fit_and_predict(DummyClassifier(strategy="prior"), np.zeros((len(train), 1)), labels, test, classes)
    }
    left_out = {}
    for name, (known, unseen) in tables.items():
        reason = _reason_to_leave_out(name, known, unseen, labels)
        if reason:
            left_out[name] = reason
        else:
            found[name] = _fit_and_predict(_classifier(seed), known, labels, unseen, classes)
    return Baselines(found, left_out)


def _classifier(seed: int) -> BaseEstimator:
    """Logistic regression on standardised values; that a value is missing is an input of its own."""
    regression = LogisticRegression(class_weight="balanced", max_iter=1000, random_state=seed)
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), regression)


def _fit_and_predict(
    classifier: BaseEstimator, known: np.ndarray, labels: np.ndarray, unseen: Any, classes: Sequence[str]
) -> np.ndarray:
    """Probabilities (n, K); a class that training does not hold gets 0."""
    inputs = unseen if isinstance(unseen, np.ndarray) else np.zeros((len(unseen), 1))
    classifier.fit(known, labels)
    predicted = np.zeros((len(inputs), len(classes)))
    predicted[:, classifier.classes_] = classifier.predict_proba(inputs)
    return predicted


def _are_recorded(patients: Sequence[Patient], names: Sequence[str]) -> np.ndarray:
    return np.array([[float(not _is_missing(patient.get(name))) for name in names] for patient in patients])


def _numbers(patients: Sequence[Patient], name: str) -> np.ndarray:
    """(n, 1), NaN where it is not known."""
    values = [patient.get(name) for patient in patients]
    return np.array([[float("nan") if value is None or pd.isna(value) else float(value)] for value in values])


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _reason_to_leave_out(name: str, known: np.ndarray, unseen: np.ndarray, labels: np.ndarray) -> str:
    """Why a baseline cannot add anything; empty where it can."""
    if name == VOLUME and (np.isnan(known).any() or np.isnan(unseen).any()):
        return "masks to measure it are missing"
    if not known.shape[1]:
        return "none differs between the patients"
    if np.isnan(known).all():
        return "it is not recorded on the training side"
    if any(np.isnan(known[labels == label]).all() for label in np.unique(labels)):
        return "it is not recorded for one class, so missing values alone predict as much"
    if all(len(np.unique(column)) == 1 for column in known.T):
        return "it is the same on the whole training side"
    return ""
