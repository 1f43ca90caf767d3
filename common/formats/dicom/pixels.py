"""What GDCM does not look at in a DICOM file's pixels: whether they are all there, and which of them are padding."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TRANSFER_SYNTAX = re.compile(rb"\x02\x00\x10\x00UI..([0-9.]+)", re.DOTALL)
META_BYTES = 4096
BIG_ENDIAN = b"1.2.840.10008.1.2.2"
NATIVE = (b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", BIG_ENDIAN)
"""Transfer syntaxes that store pixels one after the other, not compressed."""

LONG_LENGTHS = (b"OB", b"OW", b"UN")
"""Types whose length takes four bytes, after two reserved ones."""


def holds_all_pixels(data: bytes, expected: int) -> bool:
    """Whether an uncompressed file has the pixels that its header promises; GDCM fills up what is lacking with noise.

    Args:
        data: the whole file.
        expected: bytes of its pixels.

    Returns:
        Always true of a compressed file, whose decoder finds out.
    """
    found = TRANSFER_SYNTAX.search(data, 0, META_BYTES)
    syntax = found[1] if found else NATIVE[0]
    if syntax not in NATIVE:
        return True
    order: Literal["big", "little"] = "big" if syntax == BIG_ENDIAN else "little"
    tag = (0x7FE0).to_bytes(2, order) + (0x0010).to_bytes(2, order)
    place = data.find(tag)
    while place >= 0:  # an icon has pixels too, and a scan may hold the four bytes of the tag by chance
        at = place + (8 if data[place + 4 : place + 6] in LONG_LENGTHS else 4)
        length = int.from_bytes(data[at : at + 4], order)
        if expected <= length <= len(data) - at - 4:
            return True
        place = data.find(tag, place + 1)
    return False


def without_padding(pixels: NDArray[np.float32], first: float, last: float) -> NDArray[np.float32]:
    """Pixels that only pad the image become the darkest of the others.

    Args:
        pixels: rescaled, any shape.
        first: value of padding, rescaled as they are.
        last: the other end of its range.
    """
    padding = (pixels >= min(first, last)) & (pixels <= max(first, last))
    if not padding.any():
        return pixels
    darkest = pixels[~padding].min() if not padding.all() else np.float32(0)
    return np.where(padding, darkest, pixels)
