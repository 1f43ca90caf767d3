"""What a run does besides learning: seeds, progress, curves, pictures, checkpoints, reports."""

from common.handlers.epoch_seed import EpochSeed
from common.handlers.progress import Progress
from common.handlers.region_dice import RegionDice
from common.handlers.segmentation_report import SegmentationReport
from common.handlers.segmentation_table import SegmentationTable
from common.handlers.tensorboard import LearningRateCurve, SegmentationPictures, open_writer
from common.handlers.training_state import TrainingState

__all__ = [
    "EpochSeed",
    "LearningRateCurve",
    "Progress",
    "RegionDice",
    "SegmentationPictures",
    "SegmentationReport",
    "SegmentationTable",
    "TrainingState",
    "open_writer",
]
