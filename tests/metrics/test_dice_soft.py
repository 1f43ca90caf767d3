"""P3's printed formula, worked by hand on 2 x 2 images, against its measure here and against MONAI's DiceLoss."""

from __future__ import annotations

import math

import pytest
import torch
from monai.losses import DiceLoss

from common.metrics.dice import SoftDice, soft_dice

# Logits of ln 3 for one class and 0 for the other three make its probability 3 / 6 = 1/2 and theirs 1/6.
LIKELY = math.log(3)
FIRST_TRUTH = torch.tensor([[[0, 1], [2, 2]]])
FIRST_GUESS = torch.tensor([[[0, 1], [2, 3]]])
# Sums of p over the four pixels: NCR, ED and ET are each the guess of one pixel: 1/2 + 3 * 1/6 = 1.
# NCR: sum p m = 1/2, sum m = 1: (2 * 1/2 + 1) / (1 + 1 + 1) = 2/3
# ED:  sum p m = 1/2 + 1/6 = 2/3, sum m = 2: (4/3 + 1) / (1 + 2 + 1) = 7/12
# ET:  sum p m = 0, sum m = 0: 1 / (1 + 0 + 1) = 1/2
FIRST = [2 / 3, 7 / 12, 1 / 2]
SECOND_TRUTH = torch.zeros(1, 2, 2, dtype=torch.long)
SECOND_GUESS = torch.zeros(1, 2, 2, dtype=torch.long)
# An empty slice, guessed empty: each class has sum p = 4/6, so 1 / (2/3 + 1) = 3/5.
SECOND = [3 / 5, 3 / 5, 3 / 5]


def logits(guess: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(guess, 4).movedim(-1, 1) * LIKELY


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (2, 4, 2, 2) and class indices (2, 1, 2, 2)."""
    return logits(torch.cat([FIRST_GUESS, SECOND_GUESS])), torch.stack([FIRST_TRUTH, SECOND_TRUTH])


def printed_loss(outputs: torch.Tensor, masks: torch.Tensor, epsilon: float) -> float:
    """P3, section 4.1.3, term by term: 1 - (1 / sum w) sum_c w_c D_c, with sums per sample, averaged over samples."""
    weights = [0, 1, 1, 1]
    probabilities = outputs.exp() / outputs.exp().sum(dim=1, keepdim=True)
    losses = []
    for probability, mask in zip(probabilities, masks, strict=True):
        dice = 0.0
        for weight, p, m in zip(weights, probability.flatten(1), mask.flatten(1), strict=True):
            dice += weight * float((2 * (p * m).sum() + epsilon) / (p.sum() + m.sum() + epsilon))
        losses.append(1 - dice / sum(weights))
    return sum(losses) / len(losses)


def test_hand_worked_slices() -> None:
    found = soft_dice(*batch())
    assert found.shape == (2, 3)
    assert found[0].tolist() == pytest.approx(FIRST)
    assert found[1].tolist() == pytest.approx(SECOND)


def test_monais_loss_is_the_printed_formula_on_the_hand_worked_slices() -> None:
    loss = DiceLoss(softmax=True, include_background=False, to_onehot_y=True, smooth_nr=1, smooth_dr=1)
    assert loss(*batch()).item() == pytest.approx(1 - (sum(FIRST) + sum(SECOND)) / 6)


@pytest.mark.parametrize("epsilon", [1.0, 1e-3])
def test_monais_loss_is_the_printed_formula_on_random_slices_and_soft_masks(epsilon: float) -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(5, 4, 6, 7, generator=generator)
    masks = torch.rand(5, 4, 6, 7, generator=generator).softmax(dim=1)
    loss = DiceLoss(softmax=True, include_background=False, smooth_nr=epsilon, smooth_dr=epsilon)
    expected = printed_loss(outputs, masks, epsilon)
    assert loss(outputs, masks).item() == pytest.approx(expected, abs=1e-6)
    assert 1 - soft_dice(outputs, masks, epsilon).mean().item() == pytest.approx(expected, abs=1e-6)


def test_sums_are_per_slice_not_over_the_batch() -> None:
    outputs, truth = batch()
    over_the_batch = DiceLoss(
        softmax=True, include_background=False, to_onehot_y=True, smooth_nr=1, smooth_dr=1, batch=True
    )
    assert over_the_batch(outputs, truth).item() != pytest.approx(1 - soft_dice(outputs, truth).mean().item())


def test_a_volume_is_judged_slice_by_slice_along_its_last_axis() -> None:
    outputs, truth = batch()
    metric = SoftDice()
    rows = metric(outputs.movedim(0, -1)[None], truth.movedim(0, -1)[None])
    assert torch.allclose(rows, torch.tensor([FIRST, SECOND]))
    assert len(metric) == 2
    assert metric.aggregate().item() == pytest.approx((sum(FIRST) + sum(SECOND)) / 6)
    assert metric.per_column()["ED"] == pytest.approx((7 / 12 + 3 / 5) / 2)


def test_volumes_of_a_batch_are_not_mixed() -> None:
    outputs, truth = torch.randn(2, 4, 5, 6, 3), torch.randint(0, 4, (2, 1, 5, 6, 3))
    apart = [SoftDice()(outputs[item : item + 1], truth[item : item + 1]) for item in range(2)]
    assert torch.allclose(SoftDice()(outputs, truth), torch.cat(apart))
    assert torch.allclose(SoftDice()(list(outputs), list(truth)), torch.cat(apart))


def test_one_class_and_another_smoothing() -> None:
    metric = SoftDice("ET", smooth=3.0)
    metric(*batch())
    assert metric.aggregate().item() == pytest.approx((3 / 4 + 3 / (2 / 3 + 3)) / 2)


def test_anything_but_four_classes_is_an_error() -> None:
    with pytest.raises(ValueError, match="four classes"):
        SoftDice()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
