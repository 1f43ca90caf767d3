"""JPG, PNG and TIFF (and BMP, GIF, WebP): single images."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from PIL import Image, UnidentifiedImageError

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.mutations import ODD_BYTES, cut, flip, on_file, scramble

ORIENTATION = 0x0112
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    6: lambda pixels: np.rot90(pixels, -1),
    8: np.rot90,
}
"""What a viewer does for the values of EXIF's tag Orientation."""


@dataclass
class Picture:
    """What was written.

    Args:
        path: the file.
        pixels: uint8, (y, x) or (y, x, 3).
        options: of Pillow's writer.
    """

    path: Path
    pixels: np.ndarray
    options: dict[str, Any]

    @property
    def rgb(self) -> np.ndarray:
        return self.pixels if self.pixels.ndim == 3 else np.repeat(self.pixels[..., None], 3, axis=-1)

    @property
    def value(self) -> dict[str, Any]:
        return {"rgb": self.rgb}

    def save(self, image: Image.Image | None = None, **options: Any) -> Picture:
        (image or Image.fromarray(self.pixels)).save(self.path, **{**self.options, **options})
        return self


def writer(ending: str) -> Callable[[Path, Draw], Picture]:
    def write(folder: Path, draw: Draw) -> Picture:
        size = (*(int(side) for side in draw.integers(32, 48, 2)), *([3] if draw.integers(2) else []))
        coarse = draw.integers(0, 255, size).astype(np.uint8)
        picture = Picture(folder / f"slice{ending}", coarse, {})
        if ending == ".jpg":  # what it holds is what an untouched file gives
            picture.options = {"quality": int(draw.integers(50, 96)), "progressive": bool(draw.integers(2))}
            picture.save()
            picture.pixels = np.asarray(Image.open(picture.path))
        if ending == ".tiff":
            picture.options = {"compression": [None, "tiff_lzw", "tiff_deflate", "packbits"][draw.integers(4)]}
        return picture.save() if ending != ".jpg" else picture

    return write


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As the cohort's check and the pictures' cache do."""
    from common.cohorts.kinds.images import find_image_problems
    from common.cohorts.phantom_mark import is_phantom
    from common.errors import DatasetError
    from common.formats.images import read_image, read_rgb_image

    path = next(path for path in folder.iterdir() if path.stem == "slice")
    record: Any = {"subject": path.stem, "image": str(path)}
    if problems := find_image_problems([record]):
        raise DatasetError(problems[str(path)])
    is_phantom(record)
    grey, rgb = read_image(path), read_rgb_image(path)
    assert grey.dtype == rgb.dtype == np.uint8 and (*grey.shape, 3) == rgb.shape, "odd shape or type"
    return {"rgb": rgb}


def has_header(folder: Path) -> bool:
    path = next(path for path in folder.iterdir() if path.stem == "slice")
    try:
        with Image.open(path) as image:
            return min(image.size) > 0
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return False


def turned(folder: Path, picture: Picture, draw: Draw) -> Truth:
    turn = int(draw.choice(list(TURNS)))
    tags = Image.Exif()
    tags[ORIENTATION] = turn
    data = picture.path.read_bytes()
    if picture.path.suffix == ".jpg":
        exif = tags.tobytes()
        picture.path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    else:
        picture.save(exif=tags)
    return must_be({"rgb": np.ascontiguousarray(TURNS[turn](picture.rgb))})


def comments(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """Texts, resolutions, and bytes behind the end."""
    text = draw.bytes(int(draw.integers(1, 200)))
    data = picture.path.read_bytes()
    if picture.path.suffix == ".jpg":
        data = data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]
    elif picture.path.suffix == ".png":
        data = data[:33] + chunk(b"tEXt", b"Comment\0" + text.replace(b"\0", b"")) + data[33:]
    picture.path.write_bytes(data + draw.bytes(int(draw.integers(0, 50))))
    return must_be(picture.value)


def other_name(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """A file is known by its content."""
    names = ("slice.jpg", "slice.png", "slice.tif", "slice.JPEG", "slice.bmp", "slice.webp")
    picture.path.rename(folder / names[draw.integers(len(names))])
    return must_be(picture.value)


def other_mode(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """Palettes, transparency, one bit, 16 bits."""
    grey = picture.pixels if picture.pixels.ndim == 2 else picture.pixels[..., 0]
    alpha = np.where(draw.random(grey.shape) < 0.5, 255, 0).astype(np.uint8)
    what = int(draw.integers(4))
    if what == 0:
        few = grey // 16 * 16
        picture.pixels = few
        picture.save(Image.fromarray(few).convert("P"))
    elif what == 1:
        picture.save(Image.fromarray(np.dstack([picture.rgb, alpha]), "RGBA"))
        picture.pixels = np.where(alpha[..., None] == 255, picture.rgb, 0).astype(np.uint8)
    elif what == 2:
        grey = grey.copy()
        grey.flat[0] = 255
        picture.save(Image.fromarray(grey.astype(np.uint16) * 257))
        picture.pixels = grey
    else:
        bits = (grey > 127).astype(np.uint8) * 255
        picture.pixels = bits
        picture.save(
            Image.fromarray(bits).convert("1"), **({"compression": None} if "compression" in picture.options else {})
        )
    return must_be(picture.value)


def other_format(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """The same pixels as BMP, GIF of grey, or lossless WebP."""
    ending, options = (("bmp", {}), ("gif", {}), ("webp", {"lossless": True}))[draw.integers(3)]
    if ending == "gif" and picture.pixels.ndim == 3:
        picture.pixels = picture.pixels[..., 0]
    picture.path.unlink()
    picture.path, picture.options = folder / f"slice.{ending}", options
    picture.save()
    return must_be(picture.value)


def broken_other_format(folder: Path, picture: Picture, draw: Draw) -> Truth:
    other_format(folder, picture, draw)
    change = (flip, scramble, cut)[draw.integers(3)]
    picture.path.write_bytes(change(picture.path.read_bytes(), draw))
    return ANYTHING


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc32(kind + content))


def sealed_chunk(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """Another content of a chunk of a PNG, with a checksum that fits."""
    data, place, chunks = picture.path.read_bytes(), 8, []
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += length + 12
    which = int(draw.integers(len(chunks)))
    kind, content = chunks[which]
    odd = ODD_BYTES[draw.integers(len(ODD_BYTES))] * int(draw.integers(1, 4))
    kind = (kind, b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"zTXt", b"acTL", b"IEND")[draw.integers(8)]
    content = (flip, scramble)[draw.integers(2)](content, draw) if content and draw.integers(2) else odd
    chunks[which : which + int(draw.integers(2))] = [(kind, content)]
    picture.path.write_bytes(data[:8] + b"".join(chunk(*one) for one in chunks))
    return ANYTHING


def odd_size(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """Another size in the header than there are pixels for."""
    data = bytearray(picture.path.read_bytes())
    sides = [int(side) for side in draw.choice([0, 1, 31, 33, 200, 5000, 20_000, 65_500], 2)]
    if picture.path.suffix == ".png":
        data[16:24] = struct.pack(">II", *sides)
        data[29:33] = struct.pack(">I", crc32(data[12:29]))
    elif picture.path.suffix == ".jpg":
        start = next(data.find(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in data)
        data[start + 5 : start + 9] = struct.pack(">HH", *sides)
    else:
        image = Image.open(io.BytesIO(bytes(data)))
        for tag, side, old in ((256, sides[0], image.width), (257, sides[1], image.height)):
            place = data.find(struct.pack("<HHII", tag, 4, 1, old))
            if place >= 0:
                data[place + 8 : place + 12] = struct.pack("<I", side)
    picture.path.write_bytes(bytes(data))
    return ANYTHING


def flip_header(data: bytes, draw: Draw) -> bytes:
    """In the first 300 bytes, or in the last 300, where TIFF has its tags."""
    if data[:2] == b"II" and len(data) > 300:
        return flip(data, draw, len(data) - 300)
    return flip(data, draw, 8, min(300, len(data)))


def several(folder: Path, picture: Picture, draw: Draw) -> Truth:
    """Two images in one file."""
    image = Image.fromarray(picture.pixels)
    other = Image.fromarray(255 - picture.pixels)
    image.save(picture.path, save_all=True, append_images=[other])
    return MUST_BE_REFUSED


def the_file(folder: Path, picture: Picture, draw: Draw) -> Path:
    return picture.path


def value_or_refusal(picture: Picture) -> Truth:
    return must_be_or_refused(picture.value)


def anything(_: Any) -> Truth:
    return ANYTHING


def mutations(ending: str) -> tuple[Mutation, ...]:
    """PNG has checksums: a damage that is not refused must be without effect."""
    damage = value_or_refusal if ending == ".png" else anything
    shared = (
        Mutation("nothing", lambda folder, picture, draw: must_be(picture.value), 2.0),
        Mutation("turned by EXIF", turned, 2.0),
        Mutation("comments", comments, 2.0),
        Mutation("another name", other_name),
        Mutation("another size", odd_size, 2.0),
        Mutation("file: bytes flip", on_file(the_file, flip, damage), 4.0),
        Mutation("file: bytes flip_header", on_file(the_file, flip_header, damage), 3.0),
        Mutation("file: bytes scramble", on_file(the_file, scramble, anything), 2.0),
        Mutation("file: bytes cut", on_file(the_file, cut, value_or_refusal), 2.0),
    )
    if ending == ".jpg":
        return shared
    others = (Mutation("another mode", other_mode, 2.0), Mutation("another format", other_format, 2.0))
    if ending == ".png":
        return (*shared, *others, Mutation("a chunk with its checksum", sealed_chunk, 4.0))
    return (
        *shared,
        *others,
        Mutation("broken: another format", broken_other_format, 4.0),
        Mutation("several", several),
    )


READERS = tuple(
    Reader(ending[1:], writer(ending), mutations(ending), has_header, read) for ending in (".jpg", ".png", ".tiff")
)
