from __future__ import annotations

import pytest
import torch

from common.networks.backbones import BACKBONES, SMALLEST_SIDE, backbone_problem, create_backbone


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_100", "densenet121.tv_in1k", *BACKBONES])
def test_any_network_of_timm_that_ends_in_feature_maps_will_do(name: str) -> None:
    assert backbone_problem(name) is None


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_a_network_that_ends_in_tokens_is_refused(name: str) -> None:
    problem = backbone_problem(name)
    assert problem is not None
    assert "to feature maps (channel, x, y)" in problem.what


@pytest.mark.parametrize("name", ["", None, 18, "qqqqqqqqqq"])
def test_what_timm_does_not_know(name: object) -> None:
    problem = backbone_problem(name)
    assert problem is not None
    assert "timm has no network" in problem.what


@pytest.mark.parametrize("name", sorted(SMALLEST_SIDE))
def test_one_pixel_less_leaves_nothing_of_an_image(name: str) -> None:
    backbone = create_backbone(name, 3).eval()
    side = SMALLEST_SIDE[name]
    with torch.no_grad():
        assert backbone.forward_features(torch.zeros(1, 3, side, side)).numel() > 0
        with pytest.raises(RuntimeError):
            backbone.forward_features(torch.zeros(1, 3, side - 1, side - 1))
