"""Where patients come from: a reader for each data set, lists of your own, phantoms."""

from common.cohorts.brains.extraction import add_brain_masks
from common.cohorts.brains.masks import find_brain_mask, is_stripped
from common.cohorts.checks import check_arrays, check_headers, check_voxels
from common.cohorts.datalist import read_datalist
from common.cohorts.datasets.br35h import read_br35h
from common.cohorts.datasets.brats import read_brats
from common.cohorts.datasets.ixi import read_ixi
from common.cohorts.datasets.rsna_miccai import read_rsna_miccai
from common.cohorts.features import FEATURES
from common.cohorts.inference_patients import not_yet_predicted, read_patients, still_to_do
from common.cohorts.inference_people import read_volume_cohort
from common.cohorts.inference_series import read_series_cohort
from common.cohorts.labels.cavity import mask_classes
from common.cohorts.labels.classes import check_classes, label_recorded
from common.cohorts.labels.grades import GRADES, VOLUME_CLASSES, grade_cohort, volume_classes, volume_cohort
from common.cohorts.labels.permutation import are_permuted, permute_labels
from common.cohorts.labels.survival import label_survival, median_days, survival_cohort
from common.cohorts.labels.survival_classes import SurvivalClasses, fit_survival_classes
from common.cohorts.labels.tumour_or_none import TUMOUR_CLASSES, tumour_cohort
from common.cohorts.papers.p1 import published_cohort
from common.cohorts.papers.p4 import published_people
from common.cohorts.reading import read_cohort
from common.formats.dicom import DicomSeries, DicomVolume, find_series, read_series
from common.formats.images import read_image, read_rgb_image
from common.former_names import former_names
from common.records import BRATS_MASK_VALUES, HEALTHY, MODALITIES, Record, scan_of

__getattr__ = former_names(
    __name__,
    {
        "group_copies": "common.copies.group_copies",
        "single_images": "common.copies.single_images",
    },
)

__all__ = [
    "BRATS_MASK_VALUES",
    "FEATURES",
    "GRADES",
    "HEALTHY",
    "MODALITIES",
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
    "check_voxels",
    "find_brain_mask",
    "find_series",
    "fit_survival_classes",
    "grade_cohort",
    "is_stripped",
    "label_recorded",
    "label_survival",
    "mask_classes",
    "median_days",
    "not_yet_predicted",
    "permute_labels",
    "published_cohort",
    "published_people",
    "read_br35h",
    "read_brats",
    "read_cohort",
    "read_datalist",
    "read_image",
    "read_ixi",
    "read_patients",
    "read_rgb_image",
    "read_rsna_miccai",
    "read_series",
    "read_series_cohort",
    "read_volume_cohort",
    "scan_of",
    "still_to_do",
    "survival_cohort",
    "tumour_cohort",
    "volume_classes",
    "volume_cohort",
]
