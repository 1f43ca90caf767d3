"""Single images from any file, at inference, bit for bit as in training."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

from monai.transforms import Transform

from common.transforms.pictures.cache import check_channels, check_size, decode_image
from common.transforms.pictures.items import scaled
from common.transforms.recognition import tell_trained_on
from common.transforms.shared_items import Item


class ReadPictured(Transform):
    """Read the image file whose path is under ``image`` into ``image``, float32 (channel, x, y) from 0 to 1.

    Args:
        size: pixels along x and y that it is resized to, as in training.
        channels: 1 for grey, 3 for RGB.
        provenance: of the weights, to tell a scan that they were trained on; the item then has ``trained_on``, ``yes``
            or ``no``.

    Raises:
        KnobError: the size or the channels have no meaning.
        DatasetError: the file cannot be read.
    """

    def __init__(
        self, size: Sequence[int] = (240, 240), channels: int = 1, provenance: Mapping[str, Any] | None = None
    ) -> None:
        self.size, self.channels, self.provenance = check_size(size), check_channels(channels), provenance

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        image, _, hashes = decode_image(str(item["image"]), self.size, self.channels)
        item["image"] = scaled(image)
        tell_trained_on(item, self.provenance, hashes)
        return item
