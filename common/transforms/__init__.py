"""From files to tensors."""

from common.transforms.cache import clear_cache, common_spacing, default_cache_dir, prepare_cases
from common.transforms.inference import LabelMapd, LoadImageModalitiesd, PrepareBraind, SaveLabelMapd
from common.transforms.preparation import PreparedCase, prepare_case
from common.transforms.sampling import slice_sampler
from common.transforms.slices import LoadPreparedd, OneHotd, slice_items, slices_per_subject, volume_items

__all__ = [
    "LabelMapd",
    "LoadImageModalitiesd",
    "LoadPreparedd",
    "OneHotd",
    "PrepareBraind",
    "PreparedCase",
    "SaveLabelMapd",
    "clear_cache",
    "common_spacing",
    "default_cache_dir",
    "prepare_case",
    "prepare_cases",
    "slice_items",
    "slice_sampler",
    "slices_per_subject",
    "volume_items",
]
