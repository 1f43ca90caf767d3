"""DICOM studies as input and output: series chosen by rules, checked, predicted on, and results as DICOM SEG and SR.

Needs ``pip install -e .[dicom]`` (pydicom, highdicom).
"""

from __future__ import annotations

from common.studies.applied_bundle import AppliedBundle
from common.studies.clinical import read_clinical_values
from common.studies.prediction import Prediction, make_result, predict_study
from common.studies.report import make_report
from common.studies.results import Origin, write_result
from common.studies.rules import SeriesRule, read_rules
from common.studies.segmentation import SEGMENTS, make_segmentation
from common.studies.study import Study, StudySeries, read_study
from common.studies.voxels import read_slices, read_voxels

__all__ = [
    "SEGMENTS",
    "AppliedBundle",
    "Origin",
    "Prediction",
    "SeriesRule",
    "Study",
    "StudySeries",
    "make_report",
    "make_result",
    "make_segmentation",
    "predict_study",
    "read_clinical_values",
    "read_rules",
    "read_slices",
    "read_study",
    "read_voxels",
    "write_result",
]
