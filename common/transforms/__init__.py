"""From files to tensors, one folder per view: ``brain``, ``slices``, ``masks``, ``pictures``, ``volumes``, ``series``.

In each of them ``plan``, where there is one, cuts or resamples the view, ``cache`` prepares what training reads,
``items`` makes a data set of it, and ``inference`` does the same from a patient's files.
"""

from __future__ import annotations

from common.cache_folder import clear_cache, default_cache_dir
from common.former_names import former_names
from common.transforms.brain.cache import prepare_brains
from common.transforms.brain.inference import LabelMapd, PrepareBraind, SaveImageLabelMapd
from common.transforms.brain.items import LoadBraind, OneHotd, brain_items, brain_slice_items, brain_slices_per_subject
from common.transforms.cases import common_spacing
from common.transforms.clinical import (
    ClinicalEncoder,
    EncodeClinicald,
    add_clinical,
    clinical_features,
    clinical_width,
    fit_clinical,
    label_cases,
    refuse_unused,
)
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.masks.cache import prepare_masks
from common.transforms.masks.inference import LoadMaskd, MaskBagd
from common.transforms.masks.items import LoadMaskSliced, mask_items
from common.transforms.pictures.cache import prepare_pictures
from common.transforms.pictures.inference import LoadImagePictured, TakePictured
from common.transforms.pictures.items import LoadPictured
from common.transforms.preparation import PreparedCase, prepare_case
from common.transforms.probabilities import ClassProbabilitiesd
from common.transforms.recognition import RecogniseScand
from common.transforms.sampling import epoch_sampler
from common.transforms.series.cache import prepare_series
from common.transforms.series.inference import LoadImageSeriesd, TakeSeriesd
from common.transforms.series.items import LoadSeriesSliced, series_items, series_slices_per_subject
from common.transforms.shared_items import case_items, class_shares, class_weights, share_weights
from common.transforms.slices.cache import prepare_slices
from common.transforms.slices.inference import TakeSlicesd
from common.transforms.slices.items import LoadSlicesd
from common.transforms.training_dataset import TrainingDataset
from common.transforms.volumes.cache import prepare_volumes
from common.transforms.volumes.inference import TakeVolumed
from common.transforms.volumes.items import LoadVolumed

__getattr__ = former_names(
    __name__,
    {
        "LoadPreparedVolumed": "LoadVolumed",
        "LoadPreparedd": "LoadBraind",
        "SaveLabelMapd": "SaveImageLabelMapd",
        "find_copies": "common.copies.find_copies",
        "image_items": "case_items",
        "prepare_images": "prepare_pictures",
        "slice_items": "brain_slice_items",
        "slices_per_subject": "brain_slices_per_subject",
        "volume_items": "brain_items",
    },
)

__all__ = [
    "ClassProbabilitiesd",
    "ClinicalEncoder",
    "EncodeClinicald",
    "LabelMapd",
    "LoadBraind",
    "LoadImageModalitiesd",
    "LoadImagePictured",
    "LoadImageSeriesd",
    "LoadMaskSliced",
    "LoadMaskd",
    "LoadPictured",
    "LoadSeriesSliced",
    "LoadSlicesd",
    "LoadVolumed",
    "MaskBagd",
    "OneHotd",
    "PrepareBraind",
    "PreparedCase",
    "RecogniseScand",
    "SaveImageLabelMapd",
    "TakePictured",
    "TakeSeriesd",
    "TakeSlicesd",
    "TakeVolumed",
    "TrainingDataset",
    "add_clinical",
    "brain_items",
    "brain_slice_items",
    "brain_slices_per_subject",
    "case_items",
    "class_shares",
    "class_weights",
    "clear_cache",
    "clinical_features",
    "clinical_width",
    "common_spacing",
    "default_cache_dir",
    "epoch_sampler",
    "fit_clinical",
    "label_cases",
    "mask_items",
    "prepare_brains",
    "prepare_case",
    "prepare_masks",
    "prepare_pictures",
    "prepare_series",
    "prepare_slices",
    "prepare_volumes",
    "refuse_unused",
    "series_items",
    "series_slices_per_subject",
    "share_weights",
]
