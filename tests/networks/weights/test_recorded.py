from __future__ import annotations

from pathlib import Path

import pytest

from common.networks import SegmentationUNet, head_of, save_weights, slice_size_of, standardised_by


@pytest.mark.parametrize("head", ["standard", "deep"])
def test_weights_tell_their_head(tmp_path: Path, head: str) -> None:
    path = tmp_path / "model.pt"
    save_weights(path, SegmentationUNet(head=head).state_dict(), {})
    assert head_of(path) == head
    assert head_of(path, "deep") == "deep"  # what a person says is taken, and told if the weights do not fit
    SegmentationUNet(head=head_of(path)).load_state_dict(SegmentationUNet(head=head).state_dict())


def test_without_weights_and_without_a_record_the_defaults_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    assert (head_of(path), standardised_by(path), slice_size_of(path)) == ("standard", "volume", None)
    assert (standardised_by({}), slice_size_of(None)) == ("volume", None)
    assert head_of(path, absent="deep") == "deep"


def test_what_the_papers_recipe_records_is_read(tmp_path: Path) -> None:
    path, recorded = tmp_path / "model.pt", {"settings": {"standardise_by": "slice"}, "slice_size": (256, 256)}
    save_weights(path, SegmentationUNet().state_dict(), recorded)
    assert (standardised_by(path), slice_size_of(path)) == ("slice", [256, 256])
    assert (standardised_by(recorded), slice_size_of(recorded)) == ("slice", [256, 256])
