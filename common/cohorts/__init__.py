"""Where patients come from: a reader for each data set, lists of one's own, phantoms."""

from common.cohorts.br35h import read_br35h
from common.cohorts.brain_extraction import add_brain_masks
from common.cohorts.brain_masks import find_brain_mask, is_stripped
from common.cohorts.brats import read_brats
from common.cohorts.checks import check_arrays, check_headers, check_voxels
from common.cohorts.copies import group_copies, single_images
from common.cohorts.datalist import read_datalist
from common.cohorts.dicom import DicomSeries, DicomVolume, find_series, read_series
from common.cohorts.features import FEATURES
from common.cohorts.image_checks import check_images
from common.cohorts.image_cohort import read_image_cohort
from common.cohorts.images import read_image, read_rgb_image
from common.cohorts.ixi import read_ixi
from common.cohorts.loading import read_cohort
from common.cohorts.patients import not_yet_predicted, read_patients, still_to_do
from common.cohorts.permutation import are_permuted, permute_labels
from common.cohorts.published import PUBLISHED_THRESHOLDS, published_cohort
from common.cohorts.records import BRATS_MASK_VALUES, HEALTHY, MODALITIES, Record, scan_of
from common.cohorts.rsna_miccai import read_rsna_miccai
from common.cohorts.series_cohort import read_series_cohort
from common.cohorts.survival import label_survival, median_days, survival_cohort
from common.cohorts.survival_classes import SurvivalClasses, fit_survival_classes
from common.cohorts.targets import GRADES, check_classes, grade_cohort
from common.cohorts.tumour import TUMOUR_CLASSES, tumour_cohort
from common.cohorts.volume_classes import VOLUME_CLASSES, volume_classes, volume_cohort
from common.cohorts.volume_cohort import read_volume_cohort

__all__ = [
    "BRATS_MASK_VALUES",
    "FEATURES",
    "GRADES",
    "HEALTHY",
    "MODALITIES",
    "PUBLISHED_THRESHOLDS",
    "TUMOUR_CLASSES",
    "VOLUME_CLASSES",
    "DicomSeries",
    "DicomVolume",
    "Record",
    "SurvivalClasses",
    "add_brain_masks",
    "are_permuted",
    "check_arrays",
    "check_classes",
    "check_headers",
    "check_images",
    "check_voxels",
    "find_brain_mask",
    "find_series",
    "fit_survival_classes",
    "grade_cohort",
    "group_copies",
    "is_stripped",
    "label_survival",
    "median_days",
    "not_yet_predicted",
    "permute_labels",
    "published_cohort",
    "read_br35h",
    "read_brats",
    "read_cohort",
    "read_datalist",
    "read_image",
    "read_image_cohort",
    "read_ixi",
    "read_patients",
    "read_rgb_image",
    "read_rsna_miccai",
    "read_series",
    "read_series_cohort",
    "read_volume_cohort",
    "scan_of",
    "single_images",
    "still_to_do",
    "survival_cohort",
    "tumour_cohort",
    "volume_classes",
    "volume_cohort",
]
