from __future__ import annotations

import math

import pytest
import torch

from common.metrics import ClassificationScore


def of(probabilities: list[list[float]]) -> torch.Tensor:
    return torch.tensor(probabilities).log()


def test_the_mean_log_likelihood_of_the_true_classes() -> None:
    """Three LGG whose class has .5, .8 and .2, and one HGG with .9."""
    score = ClassificationScore()
    score(of([[0.5, 0.5], [0.8, 0.2]]), torch.tensor([0, 0]))
    score(of([[0.2, 0.8], [0.1, 0.9]]), torch.tensor([[0], [1]]))
    expected = math.log(0.5 * 0.8 * 0.2 * 0.9) / 4
    assert score.aggregate().item() == pytest.approx(expected)
    assert score.per_column() == pytest.approx(
        {
            "log_likelihood": expected,
            "accuracy": 3 / 4,
            "balanced_accuracy": (2 / 3 + 1) / 2,
            "macro_f1": (2 * 2 / (3 + 2) + 2 / 3) / 2,
            "auc": 1.0,
        }
    )


def test_slices_of_a_patient_are_one_by_their_mean_probability() -> None:
    """Patient 7 has class 0 with (.9 + .1) / 2, patient 3 has class 1 with .8: of two patients both are judged once."""
    score = ClassificationScore()
    score(of([[0.9, 0.1], [0.2, 0.8]]), torch.tensor([[0, 7], [1, 3]]))
    score(list(of([[0.1, 0.9]])), [torch.tensor([0, 7])])
    assert score.aggregate().item() == pytest.approx((math.log(0.5) + math.log(0.8)) / 2)
    assert score.per_column()["auc"] == 1.0


def test_batches_that_monai_took_apart_count_the_same() -> None:
    whole, apart = ClassificationScore(), ClassificationScore()
    logits, labels = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 1, 2])
    whole(logits, labels)
    apart(list(logits), labels.tolist())
    assert whole.aggregate() == apart.aggregate()
    apart.reset()
    apart(list(logits), list(labels[:, None]))
    assert whole.aggregate() == apart.aggregate()


def test_a_class_that_nobody_has_neither_counts_nor_fails() -> None:
    score = ClassificationScore()
    score(of([[0.5, 0.25, 0.25]]), torch.tensor([0]))
    assert score.aggregate().item() == pytest.approx(math.log(0.5))
    assert math.isnan(score.per_column()["auc"])


def test_the_score_is_proper() -> None:
    """Of four patients with the same image, three are class 1: the share that the images tell scores best."""
    labels = torch.tensor([1, 1, 1, 0])

    def scored(share: float) -> float:
        score = ClassificationScore()
        score(of([[1 - share, share]] * 4), labels)
        return score.aggregate().item()

    assert scored(0.75) > max(scored(0.7), scored(0.8))


def test_a_column_alone_and_half_precision() -> None:
    score = ClassificationScore(column="accuracy")
    score(torch.tensor([[30.0, -30.0], [30.0, -30.0]], dtype=torch.float16), torch.tensor([0, 1]))
    assert score.aggregate().item() == 0.5
    full = ClassificationScore()
    full(torch.tensor([[30.0, -30.0]], dtype=torch.float16), torch.tensor([1]))
    assert full.aggregate().item() == pytest.approx(-60)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="seen no item"):
        ClassificationScore().aggregate()
    with pytest.raises(ValueError, match="a truth is needed"):
        ClassificationScore()(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="B labels"):
        ClassificationScore()(torch.zeros(2, 2), torch.tensor([1]))
    with pytest.raises(ValueError, match="'auk' is none of"):
        ClassificationScore(column="auk")
