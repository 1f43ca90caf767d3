"""From tensors to logits, and the weights of networks."""

from common.networks.clinical_batch import PrepareClinicalBatch
from common.networks.fusion import FusionClassifier, check_frozen_start
from common.networks.inferers import BagInferer, FlipSliceInferer, ImageInferer
from common.networks.losses import BatchCrossEntropy, WeightedCrossEntropy
from common.networks.predicted_masks import SegmentTumourd, predict_masks
from common.networks.saliency import grad_cam
from common.networks.slice_classifier import SliceClassifier
from common.networks.slice_knobs import channels_of
from common.networks.spatiospatial import SpatioSpatialClassifier
from common.networks.trainable import trainable_weights
from common.networks.unet import SegmentationUNet
from common.networks.weights.checkpoints import (
    load_checked,
    load_weights,
    provenance_of,
    save_checkpoint,
    save_weights,
)
from common.networks.weights.ensemble import Ensemble, ensemble_of
from common.networks.weights.judged import CheckpointLoader, JudgedWeights, read_fitted
from common.networks.weights.provenance import (
    continue_from,
    describe_provenance,
    load_for_evaluation,
    load_for_inference,
    mask_classes_of,
    read_provenance,
)
from common.networks.weights.recorded import hash_of, head_of, slice_size_of, standardised_by

__all__ = [
    "BagInferer",
    "BatchCrossEntropy",
    "CheckpointLoader",
    "Ensemble",
    "FlipSliceInferer",
    "FusionClassifier",
    "ImageInferer",
    "JudgedWeights",
    "PrepareClinicalBatch",
    "SegmentTumourd",
    "SegmentationUNet",
    "SliceClassifier",
    "SpatioSpatialClassifier",
    "WeightedCrossEntropy",
    "channels_of",
    "check_frozen_start",
    "continue_from",
    "describe_provenance",
    "ensemble_of",
    "grad_cam",
    "hash_of",
    "head_of",
    "load_checked",
    "load_for_evaluation",
    "load_for_inference",
    "load_weights",
    "mask_classes_of",
    "predict_masks",
    "provenance_of",
    "read_fitted",
    "read_provenance",
    "save_checkpoint",
    "save_weights",
    "slice_size_of",
    "standardised_by",
    "trainable_weights",
]
