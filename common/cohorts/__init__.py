"""Where patients come from: a reader for each data set, lists of one's own, phantoms."""

from common.cohorts.brats import read_brats
from common.cohorts.checks import check_arrays, check_headers, check_voxels
from common.cohorts.datalist import read_datalist
from common.cohorts.loading import read_cohort
from common.cohorts.patients import read_patients, still_to_do
from common.cohorts.records import BRATS_MASK_VALUES, MODALITIES, Record

__all__ = [
    "BRATS_MASK_VALUES",
    "MODALITIES",
    "Record",
    "check_arrays",
    "check_headers",
    "check_voxels",
    "read_brats",
    "read_cohort",
    "read_datalist",
    "read_patients",
    "still_to_do",
]
