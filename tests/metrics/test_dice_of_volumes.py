from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.handlers import IgniteMetricHandler

from common.metrics.dice import VolumeDice

TRUTH = torch.tensor([0, 1, 2, 3, 3, 0]).reshape(1, 1, 6, 1, 1)
PREDICTED = torch.tensor([0, 1, 1, 3, 0, 2]).reshape(1, 1, 6, 1, 1)
# WT: 3 right of 4 predicted and 4 true; TC: {1, 2, 3} against {1, 3, 4}: 2 right; ET: {3} against {3, 4}: 1 right.
WORKED = [2 * 3 / 8, 2 * 2 / 6, 2 * 1 / 3]


def logits(classes: torch.Tensor) -> torch.Tensor:
    """Logits of four classes whose maximum is at ``classes``, with all of them negative."""
    return torch.nn.functional.one_hot(classes[:, 0], 4).movedim(-1, 1) * 3.0 - 5.0


@pytest.mark.parametrize("prediction", [PREDICTED, logits(PREDICTED)], ids=["indices", "logits"])
def test_hand_worked_dice_of_indices_and_of_logits(prediction: torch.Tensor) -> None:
    metric = VolumeDice()
    assert metric(prediction, TRUTH)[0].tolist() == pytest.approx(WORKED)
    assert metric.aggregate().item() == pytest.approx(sum(WORKED) / 3)
    assert metric.per_column() == pytest.approx(dict(zip(("WT", "TC", "ET"), WORKED, strict=True)))


def test_the_rule_for_empty_regions() -> None:
    nothing, oedema = torch.zeros(1, 1, 2, 2, 2), torch.full((1, 1, 2, 2, 2), 2)
    assert VolumeDice()(nothing, nothing).tolist() == [[1, 1, 1]]
    assert VolumeDice()(oedema, nothing).tolist() == [[0, 1, 1]]
    assert VolumeDice()(nothing, oedema).tolist() == [[0, 1, 1]]


def test_items_count_alike_whatever_their_size() -> None:
    metric = VolumeDice()
    metric([PREDICTED[0], TRUTH[0].repeat(1, 1, 4, 4)], [TRUTH[0], TRUTH[0].repeat(1, 1, 4, 4)])
    assert metric.per_column()["WT"] == pytest.approx((0.75 + 1) / 2)
    assert len(metric) == 2


def test_one_region_alone() -> None:
    metric = VolumeDice("ET")
    metric(PREDICTED, TRUTH)
    assert metric.aggregate().item() == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="'XX' is none of WT, TC, ET"):
        VolumeDice("XX")


def test_as_a_key_metric_of_ignite() -> None:
    engine = Engine(lambda _, batch: batch)
    engine.state.metric_details = {}
    IgniteMetricHandler(VolumeDice()).attach(engine, "dice")
    IgniteMetricHandler(VolumeDice("WT")).attach(engine, "dice_WT")
    state = engine.run([(MetaTensor(logits(PREDICTED)), MetaTensor(TRUTH)), ([TRUTH[0]], [TRUTH[0]])])
    assert state.metrics["dice"] == pytest.approx((sum(WORKED) / 3 + 1) / 2)
    assert state.metrics["dice_WT"] == pytest.approx((0.75 + 1) / 2)
    assert engine.state.metric_details["dice"].shape == (2, 3)


def test_nothing_seen_is_an_error_and_reset_forgets() -> None:
    metric = VolumeDice()
    metric(PREDICTED, TRUTH)
    metric.reset()
    with pytest.raises(ValueError, match="has seen no item"):
        metric.aggregate()


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        VolumeDice()(PREDICTED, TRUTH[:, :, :5])


def test_the_truth_may_come_as_masks_of_the_classes() -> None:
    plain, masks = VolumeDice(), VolumeDice()
    plain(PREDICTED, TRUTH)
    masks(PREDICTED, logits(TRUTH))
    assert plain.aggregate() == masks.aggregate()
