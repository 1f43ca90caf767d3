from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError
from common.formats.images import SMALLEST_SIDE, read_comment, read_image, read_rgb_image

RAMP = np.tile(np.arange(0, 240, 5, dtype=np.uint8), (40, 1))
"""40 rows, 48 columns."""


def told(path: Path) -> str:
    with pytest.raises(DatasetError) as error:
        read_image(path)
    return str(error.value)


def test_grey_is_read_as_it_is(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png")
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, RAMP)


def test_the_content_not_the_name_tells_the_format(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.jpg", format="PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), RAMP)


def test_rgb_and_its_luminance(tmp_path: Path) -> None:
    red = np.zeros((40, 48, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb_image(tmp_path / "a.png"), red)
    assert np.unique(read_image(tmp_path / "a.png")) == round(0.299 * 200)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    image = Image.fromarray((RAMP > 100).astype(np.uint8), mode="L").convert("P")
    image.putpalette([10, 10, 10, 90, 90, 90])
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.where(RAMP > 100, 90, 10))


def test_what_is_transparent_lies_on_black(tmp_path: Path) -> None:
    rgba = np.full((40, 48, 4), 200, np.uint8)
    rgba[..., 3] = 255
    rgba[:10, :, 3] = 0
    rgba[10:20, :, 3] = 51
    Image.fromarray(rgba).save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png")
    assert [int(pixels[row, 0]) for row in (0, 10, 20)] == [0, 40, 200]


def test_a_transparent_palette_lies_on_black(tmp_path: Path) -> None:
    image = Image.fromarray((RAMP > 100).astype(np.uint8), mode="L").convert("P")
    image.putpalette([255, 255, 255, 90, 90, 90])
    image.save(tmp_path / "a.png", transparency=0)
    assert np.unique(read_image(tmp_path / "a.png")).tolist() == [0, 90]


def test_more_than_eight_bits_are_scaled_by_the_brightest(tmp_path: Path) -> None:
    deep = RAMP.astype(np.uint16) * 10
    Image.fromarray(deep).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rint(deep * (255 / 2350)))


def test_a_photograph_is_turned_as_its_tag_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees to the right
    Image.fromarray(RAMP).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(RAMP, -1))


def test_a_comment_is_read_from_either_format(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.jpg", comment=b"told")
    Image.fromarray(RAMP).save(tmp_path / "b.jpg")
    assert (read_comment(tmp_path / "a.jpg"), read_comment(tmp_path / "b.jpg")) == ("told", "")


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated(tmp_path: Path, format: str, share: float) -> None:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8)
    Image.fromarray(noise).save(buffer, format)
    content = buffer.getvalue()
    (tmp_path / "a.jpg").write_bytes(content[: int(share * len(content))])
    assert "truncated or damaged" in told(tmp_path / "a.jpg")


def test_not_there_empty_and_text(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("<html>404 not found</html>")
    assert "does not exist" in told(tmp_path / "none.jpg")
    assert "is empty" in told(tmp_path / "empty.jpg")
    assert "is no image" in told(tmp_path / "text.jpg")
    assert "cannot be read" in told(tmp_path)


def test_too_small(tmp_path: Path) -> None:
    Image.new("L", (SMALLEST_SIDE, SMALLEST_SIDE - 1)).save(tmp_path / "a.png")
    Image.new("L", (SMALLEST_SIDE, SMALLEST_SIDE)).save(tmp_path / "b.png")
    assert "only 32 x 31 pixels" in told(tmp_path / "a.png")
    assert read_image(tmp_path / "b.png").shape == (32, 32)


def test_several_images_in_a_file(tmp_path: Path) -> None:
    frames = [Image.fromarray(RAMP), Image.fromarray(RAMP[::-1])]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert "holds 2 images" in told(tmp_path / "a.tif")


def test_colours_that_nobody_converts_are_named(tmp_path: Path) -> None:
    Image.merge("LAB", [Image.fromarray(RAMP)] * 3).save(tmp_path / "a.tif")
    assert "LAB" in told(tmp_path / "a.tif")


@pytest.mark.parametrize("read", [read_image, read_rgb_image])
def test_a_tag_that_lies_outside_the_file(tmp_path: Path, read: Any) -> None:
    # make fuzz, seed 0: tiff 217; Pillow goes on without the tag, which may be the one that turns the image
    path = tmp_path / "a.tiff"
    Image.new("L", (40, 40), 7).save(path, description="a text that is longer than four bytes")
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack("<HH", 270, 2))
    data[place + 8 : place + 12] = struct.pack("<I", 10**6)
    path.write_bytes(bytes(data))
    with pytest.raises(DatasetError, match="truncated or damaged"):
        read(path)


def test_a_second_image_without_a_size(tmp_path: Path) -> None:
    # make fuzz, seed 0: tiff 374; Pillow raises TypeError when it counts the images
    path = tmp_path / "a.tiff"
    Image.new("L", (40, 40), 7).save(path)
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack("<I", data[4:8])
    (tags,) = struct.unpack("<H", data[start : start + 2])
    end = start + 2 + 12 * tags
    data[end : end + 4] = struct.pack("<I", len(data))
    path.write_bytes(bytes(data) + struct.pack("<HHHII", 1, 258, 3, 1, 8) + bytes(4))
    with pytest.raises(DatasetError, match="truncated or damaged"):
        read_image(path)


@pytest.mark.parametrize("frames", [0, 2**31 + 1])
def test_an_animation_of_which_only_a_warning_tells_that_it_is_damaged(tmp_path: Path, frames: int) -> None:
    # make fuzz, seed 1: png 362; Pillow reads the first picture of however many there are
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "PNG")
    data = buffer.getvalue()
    part = b"acTL" + struct.pack(">II", frames, 0)
    animation = struct.pack(">I", 8) + part + struct.pack(">I", zlib.crc32(part))
    (tmp_path / "a.png").write_bytes(data[:33] + animation + data[33:])
    with pytest.raises(DatasetError, match="truncated or damaged"):
        read_image(tmp_path / "a.png")


def test_a_damaged_animation_behind_the_pixels(tmp_path: Path) -> None:
    """Found by make fuzz, seed 1: png 565; Pillow reads what follows the pixels when they are loaded."""
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "PNG")
    data = buffer.getvalue()
    part = b"acTL" + struct.pack(">II", 0, 0)
    animation = struct.pack(">I", 8) + part + struct.pack(">I", zlib.crc32(part))
    (tmp_path / "a.png").write_bytes(data[:-12] + animation + data[-12:])
    with pytest.raises(DatasetError, match="truncated or damaged"):
        read_image(tmp_path / "a.png")
