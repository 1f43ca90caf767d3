"""Measures of segmentation, classification and survival, with their intervals and tests."""

from common.metrics.baselines import Baselines, fit_baselines
from common.metrics.brats_measures import judge_regions
from common.metrics.calibration import calibration_error, judge_calibration
from common.metrics.classification_score import ClassificationScore
from common.metrics.dice import SoftDice, VolumeDice, soft_dice
from common.metrics.intervals.bootstrap import bootstrap_interval, summarise
from common.metrics.intervals.delong import chance_interval, delong_test
from common.metrics.judgement import compare_judgements, judge, summarise_judgement
from common.metrics.patient_predictions import to_patients, vote_table
from common.metrics.roc import roc_band, roc_curves
from common.metrics.survival_measures import brats_survival, concordance_index, predict_days, summarise_survival
from common.metrics.t_tests import compare_folds, corrected_resampled_t, paired_t, two_sample_t

__all__ = [
    "Baselines",
    "ClassificationScore",
    "SoftDice",
    "VolumeDice",
    "bootstrap_interval",
    "brats_survival",
    "calibration_error",
    "chance_interval",
    "compare_folds",
    "compare_judgements",
    "concordance_index",
    "corrected_resampled_t",
    "delong_test",
    "fit_baselines",
    "judge",
    "judge_calibration",
    "judge_regions",
    "paired_t",
    "predict_days",
    "roc_band",
    "roc_curves",
    "soft_dice",
    "summarise",
    "summarise_judgement",
    "summarise_survival",
    "to_patients",
    "two_sample_t",
    "vote_table",
]
