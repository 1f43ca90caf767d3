"""Where patients come from: a reader for each data set, lists of one's own, phantoms."""

from common.cohorts.brats import read_brats
from common.cohorts.checks import check_arrays, check_headers, check_voxels
from common.cohorts.datalist import read_datalist
from common.cohorts.features import FEATURES
from common.cohorts.loading import read_cohort
from common.cohorts.patients import not_yet_predicted, read_patients, still_to_do
from common.cohorts.published import PUBLISHED_THRESHOLDS, published_cohort
from common.cohorts.records import BRATS_MASK_VALUES, MODALITIES, Record, scan_of
from common.cohorts.survival import label_survival, median_days, survival_cohort
from common.cohorts.survival_classes import SurvivalClasses, fit_survival_classes
from common.cohorts.targets import GRADES, check_classes, grade_cohort

__all__ = [
    "BRATS_MASK_VALUES",
    "FEATURES",
    "GRADES",
    "MODALITIES",
    "PUBLISHED_THRESHOLDS",
    "Record",
    "SurvivalClasses",
    "check_arrays",
    "check_classes",
    "check_headers",
    "check_voxels",
    "fit_survival_classes",
    "grade_cohort",
    "label_survival",
    "median_days",
    "not_yet_predicted",
    "published_cohort",
    "read_brats",
    "read_cohort",
    "read_datalist",
    "read_patients",
    "scan_of",
    "still_to_do",
    "survival_cohort",
]
