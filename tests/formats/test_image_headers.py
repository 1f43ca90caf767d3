from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError
from common.formats.image_headers import ImageHeader, read_image_header

GREY = np.tile(np.arange(0, 240, 5, dtype=np.uint8), (40, 1))


@pytest.mark.parametrize(
    ("image", "name", "stored"),
    [
        (Image.fromarray(GREY), "a.jpg", ("JPEG", "grey", 8)),
        (Image.fromarray(GREY).convert("RGB"), "a.jpg", ("JPEG", "RGB", 8)),
        (Image.fromarray(GREY.astype(np.uint16) * 200), "a.png", ("PNG", "grey", 16)),
        (Image.fromarray(GREY.astype(np.float32)), "a.tif", ("TIFF", "grey", 32)),
        (Image.fromarray(GREY).convert("RGBA"), "a.png", ("PNG", "RGB with transparency", 8)),
        (Image.fromarray(GREY).convert("P"), "a.png", ("PNG", "palette", 8)),
        (Image.fromarray(GREY).convert("1"), "a.png", ("PNG", "grey", 1)),
    ],
)
def test_how_it_is_stored(tmp_path: Path, image: Image.Image, name: str, stored: tuple[str, str, int]) -> None:
    image.save(tmp_path / name)
    assert read_image_header(tmp_path / name) == ImageHeader((48, 40), *stored)


def test_the_pixels_are_not_asked_for(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=Image.Exif())
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: content.index(b"\xff\xda")])  # up to the start of the scan
    assert read_image_header(tmp_path / "a.jpg").size == (48, 40)


def test_what_no_header_tells_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    Image.new("L", (8, 40)).save(tmp_path / "small.png")
    for name, told in (("text.png", "no image"), ("small.png", "only 8 x 40"), ("none.png", "does not exist")):
        with pytest.raises(DatasetError, match=told):
            read_image_header(tmp_path / name)
