"""From tensors to logits, and the weights between runs."""

from common.networks.checkpoints import load_checked, load_weights, save_checkpoint
from common.networks.inferer import FlipSliceInferer
from common.networks.provenance import continue_from, describe_provenance, load_for_evaluation
from common.networks.unet import SegmentationUNet

__all__ = [
    "FlipSliceInferer",
    "SegmentationUNet",
    "continue_from",
    "describe_provenance",
    "load_checked",
    "load_for_evaluation",
    "load_weights",
    "save_checkpoint",
]
