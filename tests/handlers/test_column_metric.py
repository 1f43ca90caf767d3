from __future__ import annotations

import math

import pytest
import torch
from ignite.engine import Engine

from common.handlers import ColumnMetric
from common.metrics import ClassificationScore, VolumeDice


def test_columns_stand_beside_their_mean() -> None:
    """Truth: 2 voxels of ED, 1 of NCR, 1 of ET. Predicted: ET is missed, and one of ED."""
    truth = torch.tensor([[0, 2, 2, 1, 3, 0]])
    predicted = torch.tensor([[0, 2, 0, 1, 0, 0]])
    engine = Engine(lambda *_: [{"pred": predicted, "label": truth}])
    ColumnMetric(VolumeDice()).attach(engine, "val_mean_dice")
    metrics = engine.run([0]).metrics
    assert metrics["val_mean_dice_WT"] == pytest.approx(2 * 2 / (2 + 4))
    assert metrics["val_mean_dice_TC"] == pytest.approx(2 * 1 / (1 + 2))
    assert metrics["val_mean_dice_ET"] == 0
    assert metrics["val_mean_dice"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


def test_columns_may_have_a_name_of_their_own() -> None:
    truth = torch.tensor([[0, 2, 2, 1, 3, 0]])
    engine = Engine(lambda *_: [{"pred": truth, "label": truth}])
    ColumnMetric(VolumeDice(), prefix="val").attach(engine, "val_mean_dice")
    assert engine.run([0]).metrics == {"val_mean_dice": 1, "val_WT": 1, "val_TC": 1, "val_ET": 1}


def test_items_of_one_subject_are_one() -> None:
    """The two slices of A have class 0 with .6 and .2, the one of B has class 1 with .5."""
    logits = torch.tensor([[0.6, 0.4], [0.5, 0.5], [0.2, 0.8]]).log()
    batch = [{"subject": "A"}, {"subject": "B"}, {"subject": "A"}]
    output = [{"pred": pred, "label": label} for pred, label in zip(logits, (0, 1, 0), strict=True)]

    def step(engine: Engine, _: int) -> list[dict[str, object]]:
        engine.state.batch = batch
        return output

    engine = Engine(step)
    ColumnMetric(ClassificationScore(), prefix="val", per="subject").attach(engine, "val_log_likelihood")
    assert engine.run([0]).metrics["val_log_likelihood"] == pytest.approx((math.log(0.4) + math.log(0.5)) / 2)
