"""Single images from any file, at inference, bit for bit as in training."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from common.errors import DatasetError, Problem
from common.transforms.loading import CHANNEL_FIRST
from common.transforms.pictures.cache import READERS, check_channels, check_size, fit_picture
from common.transforms.pictures.items import BRIGHTEST, scaled
from common.transforms.requests import is_loaded, meta_of_view, patient_of, read_request
from common.transforms.shared_items import Item


class LoadImagePictured(MapTransform):
    """Read the image file whose path is under ``image`` into ``image``, a MetaTensor uint8 (channel, x, y).

    MONAI Deploy leaves out what has ``LoadImage`` in its name; an image that another loader has read stays.

    Args:
        channels: 1 for grey, 3 for RGB.

    Raises:
        KnobError: an image has no such number of channels.
        DatasetError: the file cannot be read.
    """

    def __init__(self, channels: int = 1) -> None:
        super().__init__("image")
        self.channels = check_channels(channels)

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = read_request(data, folders=True)
        if not is_loaded(item):
            file = str(item["image"])
            pixels = np.atleast_3d(READERS[self.channels](file)).transpose(2, 1, 0)
            item["image"] = MetaTensor(torch.from_numpy(pixels.copy()), meta={"filename_or_obj": file, **CHANNEL_FIRST})
        return item


class TakePictured(MapTransform):
    """Bring ``image`` (channel, x, y) with values from 0 to 255 to the size of training, float32 from 0 to 1.

    A grey image is taken three times where the network reads RGB.

    Args:
        size: pixels along x and y, as in training.
        channels: 1 for grey, 3 for RGB.

    Raises:
        KnobError: the size or the channels have no meaning.
        DatasetError: it is no image of 8 bits with these channels.
    """

    def __init__(self, size: Sequence[int] = (240, 240), channels: int = 1) -> None:
        super().__init__("image")
        self.size, self.channels = check_size(size), check_channels(channels)

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = read_request(data, folders=True)
        image = item["image"]
        pixels = self._pixels(image.numpy(), patient_of(item))
        item["image"] = MetaTensor(scaled(fit_picture(pixels, self.size)), meta=meta_of_view(image))
        return item

    def _pixels(self, array: np.ndarray, name: str) -> np.ndarray:
        """uint8 (y, x) or (y, x, 3)."""
        if array.ndim != 3 or len(array) not in (1, self.channels):
            what = f"it has shape {tuple(array.shape)}, and the network reads ({self.channels}, x, y)"
            raise DatasetError(Problem(what, name, "Give one slice as a picture."))
        if array.dtype != np.uint8:
            if not (array.min() >= 0 and array.max() <= BRIGHTEST):
                what = f"its values are not within 0 and {BRIGHTEST}"
                raise DatasetError(Problem(what, name, "Scale the slice to 8 bits, as a window of a viewer does."))
            array = np.rint(array).astype(np.uint8)
        planes = np.repeat(array, self.channels, axis=0) if len(array) < self.channels else array
        return planes[0].T if self.channels == 1 else planes.transpose(2, 1, 0)
