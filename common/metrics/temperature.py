"""Temperature scaling: logits divided by one number, so that probabilities are as sure as they are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import log_loss

from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.patient_predictions import to_patients

LEAST = 1e-12
"""The smallest probability whose logarithm is taken."""

RANGE = (0.05, 20.0)
"""Within which a temperature is looked for; a side without errors would have 0."""


@dataclass(frozen=True)
class Temperature:
    """The temperature that fits a side best.

    Args:
        value: by which logits are divided; above 1 where the network is too sure.
        log_loss: of the patients as they were judged.
        fitted_log_loss: with that temperature.
    """

    value: float
    log_loss: float
    fitted_log_loss: float

    def to_json(self) -> dict[str, Any]:
        """Plain numbers under the names of the fields."""
        return asdict(self)


def fit_temperature(samples: pd.DataFrame, classes: Sequence[str], used: float = 1.0) -> Temperature:
    """The temperature with the smallest log loss over patients.

    Args:
        samples: rows as for :func:`~common.metrics.patient_predictions.to_patients`. Each sample's logits are
            divided, then its patient's probabilities are averaged, as in inference.
        classes: their names, in the order of the labels.
        used: the temperature that the probabilities were already divided by; the one that is told takes its place.

    References:
        Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """

    def loss(log_temperature: float) -> float:
        patients = to_patients(scale(samples, classes, float(np.exp(log_temperature))), classes)
        probabilities = np.clip(probabilities_of(patients, classes), LEAST, None)
        return float(log_loss(truth_of(patients, classes), probabilities, labels=range(len(classes))))

    found = minimize_scalar(loss, bounds=tuple(np.log(RANGE)), method="bounded")
    return Temperature(used * float(np.exp(found.x)), loss(0.0), float(found.fun))


def scale(samples: pd.DataFrame, classes: Sequence[str], temperature: float) -> pd.DataFrame:
    """The samples with the probabilities that their logits give when they are divided by a temperature."""
    shares = softmax(np.log(np.clip(probabilities_of(samples, classes), LEAST, None)) / temperature, axis=1)
    return samples.assign(**{f"p_{name}": share for name, share in zip(classes, shares.T, strict=True)})
