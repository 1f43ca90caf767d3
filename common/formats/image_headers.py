"""What an image's header says of how it is stored; no pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from common.formats.images import PathLike, opened_image

COLOURS = {
    "1": "grey",
    "L": "grey",
    "LA": "grey with transparency",
    "P": "palette",
    "PA": "palette with transparency",
    "RGBA": "RGB with transparency",
    "I": "grey",
    "F": "grey",
}
"""Pillow's modes in words, without those that are called I;16; another one is its own word."""

BITS = {"1": 1, "I": 32, "F": 32}
"""Of a channel, where they are not 8."""


@dataclass(frozen=True)
class ImageHeader:
    """How an image is stored.

    Args:
        size: pixels along x and y, before its EXIF tag turns it.
        format: such as ``JPEG``.
        colour: ``grey``, ``RGB``, ``palette``, … .
        bits: of a channel.
    """

    size: tuple[int, int]
    format: str
    colour: str
    bits: int

    @property
    def traits(self) -> dict[str, str]:
        """What records hold under ``stored_as``: all but the size, as texts."""
        return {"format": self.format, "colour": self.colour, "bits": str(self.bits)}


def read_image_header(path: PathLike) -> ImageHeader:
    """Read the header alone.

    Raises:
        DatasetError: the file is missing, empty, no image, too small, too large, or holds several images.
    """
    with opened_image(path) as image:
        is_deep = image.mode.startswith("I;16")
        colour = "grey" if is_deep else COLOURS.get(image.mode, image.mode)
        bits = 16 if is_deep else BITS.get(image.mode, 8)
        return ImageHeader(image.size, str(image.format), colour, bits)
