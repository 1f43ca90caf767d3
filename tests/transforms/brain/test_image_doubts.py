from __future__ import annotations

import numpy as np

from common.transforms.brain.image_doubts import doubts_of, image_doubts


def brains(*starts: int) -> np.ndarray:
    """A channel (z, channel, y, x) per start: 50 columns of brain from there on, of different values."""
    image = np.zeros((4, len(starts), 5, 100), np.float16)
    values = np.random.default_rng(0).normal(1, 0.1, (4, 5, 50))
    for channel, start in enumerate(starts):
        image[:, channel, :, start : start + 50] = values
    return image


def test_images_of_one_brain_raise_no_doubt_even_where_a_field_of_view_is_cut():
    image = brains(10, 10, 10)
    image[:2, 1] = 0
    assert doubts_of(image, ["flair", "t1", "t2"]) == []


def test_a_brain_in_another_place_is_told_with_the_share_in_common():
    # 45 of 50 columns are common
    assert doubts_of(brains(10, 10, 15), ["flair", "t1", "t2"]) == [
        "flair and t2 show the brain in other places (90% in common)"
    ]


def test_a_mask_among_the_images_is_told():
    image = brains(10, 10)
    image[:, 1] = np.where(image[:, 1] > 1, 2, np.where(image[:, 1] > 0, 1, 0))
    assert doubts_of(image, ["flair", "t1"]) == ["t1 holds few values (3), as a mask does"]


def test_the_sentence_names_the_patients():
    cases = [{"subject": "p1", "image_doubts": []}, {"subject": "p2", "image_doubts": ["t1 is odd", "t2 too"]}]
    (told,) = image_doubts(cases)
    assert told.startswith("p2: t1 is odd; t2 too. ")
    assert image_doubts(cases[:1]) == []
