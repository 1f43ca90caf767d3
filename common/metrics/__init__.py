"""How a segmentation or a classification is judged, and how sure that is."""

from common.metrics.baselines import Baselines, fit_baselines
from common.metrics.brats import brats_dice_hd95
from common.metrics.classification import ClassificationScore
from common.metrics.intervals import bootstrap_interval, summarise
from common.metrics.judgement import compare_judgements, judge, summarise_judgement
from common.metrics.patients import to_patients, vote_table
from common.metrics.soft_dice import SoftDice, soft_dice
from common.metrics.survival import brats_survival, concordance_index, predict_days, summarise_survival
from common.metrics.volume_dice import VolumeDice

__all__ = [
    "Baselines",
    "ClassificationScore",
    "SoftDice",
    "VolumeDice",
    "bootstrap_interval",
    "brats_dice_hd95",
    "brats_survival",
    "compare_judgements",
    "concordance_index",
    "fit_baselines",
    "judge",
    "predict_days",
    "soft_dice",
    "summarise",
    "summarise_judgement",
    "summarise_survival",
    "to_patients",
    "vote_table",
]
