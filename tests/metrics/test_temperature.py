"""Temperature scaling, on classifiers whose temperature is known."""

import numpy as np
import pandas as pd
import pytest

from common.metrics.calibration import judge_calibration
from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.patient_predictions import to_patients
from common.metrics.temperature import fit_temperature, scale

CLASSES = ("LGG", "HGG")


def cohort(sureness: float, patients: int = 2000, samples: int = 1) -> pd.DataFrame:
    """Patients whose true log-odds are known; the network tells ``sureness`` times as much."""
    random = np.random.default_rng(0)
    odds = random.normal(0.5, 1.5, patients)
    truth = random.random(patients) < 1 / (1 + np.exp(-odds))
    p = 1 / (1 + np.exp(-sureness * odds))
    rows = pd.DataFrame({"subject": [f"p{n:04d}" for n in range(patients)], "truth": np.where(truth, "HGG", "LGG")})
    rows = rows.assign(p_LGG=1 - p, p_HGG=p)
    return pd.concat([rows.assign(sample=n) for n in range(samples)], ignore_index=True)


@pytest.mark.parametrize("sureness", [3.0, 0.5])
def test_a_classifier_that_is_too_sure_or_too_careful_becomes_calibrated(sureness: float) -> None:
    rows = cohort(sureness)
    fitted = fit_temperature(rows, CLASSES)
    assert fitted.value == pytest.approx(sureness, rel=0.1)
    assert fitted.fitted_log_loss < fitted.log_loss

    def judged(table: pd.DataFrame) -> bool:
        found = judge_calibration(truth_of(table, CLASSES), probabilities_of(table, CLASSES), table["subject"])
        return found.error <= found.of_calibrated

    assert not judged(to_patients(rows, CLASSES))
    assert judged(to_patients(scale(rows, CLASSES, fitted.value), CLASSES))


def test_a_calibrated_classifier_keeps_its_temperature() -> None:
    assert fit_temperature(cohort(1.0), CLASSES).value == pytest.approx(1, abs=0.1)


def test_what_was_divided_already_is_told_as_one_temperature() -> None:
    rows = cohort(3.0, patients=300)
    once, again = fit_temperature(rows, CLASSES), fit_temperature(scale(rows, CLASSES, 2.0), CLASSES, used=2.0)
    assert again.value == pytest.approx(once.value, rel=1e-3)


def test_patients_are_fitted_and_not_samples() -> None:
    # The first patient's ten slices would outweigh the second one's single slice.
    rows = pd.DataFrame(
        {
            "subject": ["a"] * 10 + ["b"],
            "truth": ["HGG"] * 10 + ["LGG"],
            "p_LGG": [0.1] * 10 + [0.1],
            "p_HGG": [0.9] * 10 + [0.9],
        }
    )
    assert fit_temperature(rows, CLASSES).value == pytest.approx(20, rel=0.01)  # one right, one wrong: nothing is known


def test_dividing_logits_by_hand() -> None:
    rows = pd.DataFrame({"subject": ["a"], "truth": ["HGG"], "p_LGG": [0.1], "p_HGG": [0.9]})
    assert scale(rows, CLASSES, 2.0)["p_HGG"].item() == pytest.approx(3 / 4)  # odds 9 become 3


def test_a_certain_probability_is_no_infinity() -> None:
    rows = pd.DataFrame({"subject": ["a"], "truth": ["LGG"], "p_LGG": [0.0], "p_HGG": [1.0]})
    assert np.isfinite(fit_temperature(rows, CLASSES).log_loss)
