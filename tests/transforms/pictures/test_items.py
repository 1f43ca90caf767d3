from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from common.errors import DatasetError, KnobError
from common.transforms import LoadImagePictured, LoadPictured, TakePictured, prepare_pictures
from common.transforms.shared_items import case_items


def read_picture(file: Path | str, size: Sequence[int] = (240, 240), channels: int = 1) -> Any:
    """As at inference."""
    return TakePictured(size, channels)(LoadImagePictured(channels)({"image": str(file)}))["image"]


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
    read = read_picture(record["image"], (48, 40), channels)
    assert trained.shape == (channels, 48, 40)
    assert trained.dtype == torch.float32
    assert torch.equal(trained, read.as_tensor())
    assert 0 <= trained.min() < trained.max() <= 1


def test_x_grows_to_the_right_and_white_is_one(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60), dtype=np.uint8)
    pixels[:, 30:] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    image = read_picture(tmp_path / "half.png", (60, 40))
    assert image[0, 0, 20] == 0
    assert image[0, 59, 20] == 1


def test_settings_without_a_meaning_are_refused() -> None:
    with pytest.raises(KnobError):
        TakePictured((240,))
    for transform in (TakePictured, LoadImagePictured):
        with pytest.raises(KnobError):
            transform(channels=2)


def test_a_file_that_is_no_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "slice.jpg").write_text("no image")
    with pytest.raises(DatasetError, match="no image"):
        read_picture(tmp_path / "slice.jpg")


def test_a_slice_that_another_program_loaded() -> None:
    """A grey slice in memory, as MONAI Deploy hands it over, is what its picture is; RGB has it three times."""
    pixels = np.random.default_rng(0).integers(0, 256, (50, 40), dtype=np.uint8)
    loaded = MetaTensor(torch.from_numpy(pixels.astype(np.float32))[None])
    grey = TakePictured((24, 20))({"image": loaded})["image"]
    expected = np.asarray(Image.fromarray(pixels.T).resize((24, 20), Image.Resampling.BILINEAR)).T / 255
    np.testing.assert_allclose(grey[0].numpy(), expected, atol=1e-7)
    assert torch.equal(
        TakePictured((24, 20), 3)({"image": loaded})["image"].as_tensor(), grey.as_tensor().expand(3, 24, 20)
    )


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (torch.zeros(1, 40, 40, 5), r"shape \(1, 40, 40, 5\)"),
        (torch.zeros(2, 40, 40), r"shape \(2, 40, 40\)"),
        (torch.full((1, 40, 40), 256.0), "not within 0 and 255"),
        (torch.full((1, 40, 40), torch.nan), "not within 0 and 255"),
    ],
)
def test_what_is_no_picture(image: torch.Tensor, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        TakePictured()({"image": MetaTensor(image)})
