from __future__ import annotations

from common.transforms.brain.mask_doubts import mask_doubts


def test_misplaced_and_empty_masks_are_named_and_sound_ones_are_not():
    cases = [
        {"subject": "sound", "tumour_ml": 20.0, "mask_on_background": 0.004},
        {"subject": "moved", "tumour_ml": 12.0, "mask_on_background": 0.43},
        {"subject": "outside", "tumour_ml": 0.0, "mask_on_background": 1.0},
        {"subject": "none", "tumour_ml": 0.0, "mask_on_background": None},
        {"subject": "unlabelled", "tumour_ml": None, "mask_on_background": None},
    ]
    misplaced, empty = mask_doubts(cases)
    assert "moved (43%), outside (100%)" in misplaced
    assert "none" in empty
    assert not any("sound" in told or "unlabelled" in told for told in (misplaced, empty))
    assert mask_doubts(cases[:1]) == []


def test_a_mask_of_necrotic_core_alone_may_be_one_of_the_whole_tumour():
    cases = [
        {"subject": "whole", "tumour_ml": 12.0, "tumour_voxels": [[0, 0, 0], [7, 0, 0]]},
        {"subject": "parts", "tumour_ml": 12.0, "tumour_voxels": [[9, 0, 0], [7, 1, 0]]},
        {"subject": "oedema", "tumour_ml": 12.0, "tumour_voxels": [[0, 5, 0]]},
    ]
    (told,) = mask_doubts(cases)
    assert "core in the masks of whole." in told
