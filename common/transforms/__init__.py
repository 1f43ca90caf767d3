"""From files to tensors."""

from common.transforms.cache import clear_cache, common_spacing, default_cache_dir
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
from common.transforms.copies_cache import find_copies
from common.transforms.image_cache import prepare_images
from common.transforms.image_items import LoadSlicesd, image_items
from common.transforms.inference import LabelMapd, LoadImageModalitiesd, PrepareBraind, SaveLabelMapd
from common.transforms.items import class_weights, share_weights
from common.transforms.mask_bag import LoadMaskd, MaskBagd
from common.transforms.mask_items import LoadMaskSliced, mask_items
from common.transforms.picture_items import LoadPictured, ReadPictured
from common.transforms.preparation import PreparedCase, prepare_case
from common.transforms.probabilities import ClassProbabilitiesd
from common.transforms.resampled_cache import prepare_volumes
from common.transforms.resampled_items import LoadPreparedVolumed, TakeVolumed
from common.transforms.sampling import epoch_sampler
from common.transforms.series_cache import prepare_series
from common.transforms.series_items import LoadSeriesSliced, TakeSeriesd, series_items, series_slices_per_subject
from common.transforms.slice_cache import prepare_slices
from common.transforms.slices import LoadPreparedd, OneHotd, slice_items, slices_per_subject, volume_items
from common.transforms.take_slices import TakeSlicesd
from common.transforms.training_dataset import TrainingDataset
from common.transforms.volume_cache import prepare_cases

__all__ = [
    "ClassProbabilitiesd",
    "ClinicalEncoder",
    "EncodeClinicald",
    "LabelMapd",
    "LoadImageModalitiesd",
    "LoadMaskSliced",
    "LoadMaskd",
    "LoadPictured",
    "LoadPreparedVolumed",
    "LoadPreparedd",
    "LoadSeriesSliced",
    "LoadSlicesd",
    "MaskBagd",
    "OneHotd",
    "PrepareBraind",
    "PreparedCase",
    "ReadPictured",
    "SaveLabelMapd",
    "TakeSeriesd",
    "TakeSlicesd",
    "TakeVolumed",
    "TrainingDataset",
    "add_clinical",
    "class_weights",
    "clear_cache",
    "clinical_features",
    "clinical_width",
    "common_spacing",
    "default_cache_dir",
    "epoch_sampler",
    "find_copies",
    "fit_clinical",
    "image_items",
    "label_cases",
    "mask_items",
    "prepare_case",
    "prepare_cases",
    "prepare_images",
    "prepare_series",
    "prepare_slices",
    "prepare_volumes",
    "refuse_unused",
    "series_items",
    "series_slices_per_subject",
    "share_weights",
    "slice_items",
    "slices_per_subject",
    "volume_items",
]
