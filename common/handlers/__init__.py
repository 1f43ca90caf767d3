"""Handlers of a run: seeds, progress, curves, pictures, checkpoints, reports."""

from common.handlers.classification_report import ClassificationReport
from common.handlers.classification_table import ClassificationTable
from common.handlers.column_metric import ColumnMetric
from common.handlers.epoch_seed import EpochSeed
from common.handlers.evaluation_report import Judged
from common.handlers.grad_cam import GradCamOverlays, GradCamPictures
from common.handlers.logs.progress import Progress
from common.handlers.logs.tensorboard import LearningRateCurve, SegmentationPictures, open_writer
from common.handlers.logs.training_history import TrainingHistory
from common.handlers.segmentation_report import SegmentationReport
from common.handlers.segmentation_table import SegmentationTable
from common.handlers.survival_days import SurvivalDays
from common.handlers.training_cost import TrainingCost
from common.handlers.training_state import TrainingState
from common.handlers.volume_grad_cam import VolumeGradCam

__all__ = [
    "ClassificationReport",
    "ClassificationTable",
    "ColumnMetric",
    "EpochSeed",
    "GradCamOverlays",
    "GradCamPictures",
    "Judged",
    "LearningRateCurve",
    "Progress",
    "SegmentationPictures",
    "SegmentationReport",
    "SegmentationTable",
    "SurvivalDays",
    "TrainingCost",
    "TrainingHistory",
    "TrainingState",
    "VolumeGradCam",
    "open_writer",
]
