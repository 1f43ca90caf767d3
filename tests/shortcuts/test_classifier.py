from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from common.shortcuts import classifier as module
from common.shortcuts.classifier import ENOUGH, Probed, probe

LABELS = np.repeat(["healthy", "tumour"], [6, 12])
SHUFFLES, LEVEL = 200, 0.01


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The AUC of every labelling that is judged, the true one first."""
    areas: list[float] = []
    judge = module._cross_validate

    def watch(*given: object) -> tuple[float, float]:
        score = judge(*given)  # type: ignore[arg-type]
        areas.append(score[0])
        return score

    monkeypatch.setattr(module, "_cross_validate", watch)
    return areas


def noise(seed: int) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).standard_normal((len(LABELS), 3)), columns=list("abc"))


def test_where_nothing_is_found_few_shuffles_say_so(judged: list[float]) -> None:
    found = probe({"noise": noise(1)}, LABELS, 0, SHUFFLES, LEVEL)
    assert not found.beats_chance
    assert found.predictive == {}
    assert ENOUGH < len(judged) < SHUFFLES
    assert found.p_value == ENOUGH / (len(judged) - 1)


def test_a_large_difference_is_not_taken_for_chance(judged: list[float]) -> None:
    """Six against twelve: chance orders them without a mistake now and then, yet never so far apart."""
    difference = noise(3) + 8 * (LABELS == "tumour")[:, None]
    found = probe({"difference": difference, "noise": noise(2)}, LABELS, 0, SHUFFLES, LEVEL)
    assert found.auc == 1
    assert found.p_value == pytest.approx(1 / (SHUFFLES + 1))
    assert len(judged) == SHUFFLES + 1
    assert list(found.predictive) == ["difference"]


def test_a_trait_that_is_as_good_as_the_best_of_chance_is_named() -> None:
    found = Probed(auc=1.0, chance=1.0, p_value=0.001, level=LEVEL, alone={"the shape": 1.0, "the noise": 0.9})
    assert found.predictive == {"the shape": 1.0}
