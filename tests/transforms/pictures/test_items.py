from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from common.errors import DatasetError, KnobError
from common.transforms import LoadPictured, ReadPictured, prepare_pictures
from common.transforms.shared_items import case_items


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)).save(tmp_path / "slice.png")
    return tmp_path / "slice.png"


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_is_read_bit_for_bit_as_training_reads_it(
    mode: str, channels: int, picture: Path, tmp_path: Path
) -> None:
    Image.open(picture).convert(mode).save(tmp_path / f"{mode}.png")
    record = {"subject": mode, "image": str(tmp_path / f"{mode}.png"), "label": 1}
    (item,) = case_items(prepare_pictures([record], tmp_path / "cache", (48, 40), channels))
    trained = LoadPictured()(item)["image"]
    read = ReadPictured((48, 40), channels)(record)["image"]
    assert trained.shape == (channels, 48, 40)
    assert trained.dtype == torch.float32
    assert torch.equal(trained, read)
    assert 0 <= trained.min() < trained.max() <= 1


def test_x_grows_to_the_right_and_white_is_one(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60), dtype=np.uint8)
    pixels[:, 30:] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    image = ReadPictured((60, 40))({"image": str(tmp_path / "half.png")})["image"]
    assert image[0, 0, 20] == 0
    assert image[0, 59, 20] == 1


def test_settings_without_a_meaning_are_refused() -> None:
    with pytest.raises(KnobError):
        ReadPictured((240,))
    with pytest.raises(KnobError):
        ReadPictured((240, 240), channels=2)


def test_a_file_that_is_no_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "slice.jpg").write_text("no image")
    with pytest.raises(DatasetError, match="no image"):
        ReadPictured()({"image": str(tmp_path / "slice.jpg")})
