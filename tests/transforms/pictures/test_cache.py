from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError, KnobError
from common.transforms.pictures import cache
from common.transforms.pictures.cache import prepare_pictures


def write(path: Path, pixels: np.ndarray) -> dict:
    Image.fromarray(pixels).save(path)
    return {"subject": path.stem, "image": str(path), "label": 1}


@pytest.fixture
def record(tmp_path: Path) -> dict:
    """Columns 0 to 39 are 10 bright, the others 250; 80 columns, 40 rows."""
    pixels = np.where(np.arange(80) < 40, 10, 250).astype(np.uint8)
    return write(tmp_path / "a.png", np.tile(pixels, (40, 1)))


def test_grey_as_channel_x_y(record: dict, tmp_path: Path) -> None:
    (case,) = prepare_pictures([record], tmp_path / "cache", size=(20, 10))
    image = np.load(case["cached"])
    assert (image.shape, image.dtype) == ((1, 20, 10), np.uint8)
    assert image[0, :9].min() == image[0, :9].max() == 10
    assert image[0, 11:].min() == image[0, 11:].max() == 250
    assert case["original_size"] == [80, 40]
    assert {key: case[key] for key in record} == record


def test_rgb_as_channel_x_y(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = (200, 100, 50)
    (case,) = prepare_pictures([write(tmp_path / "a.png", pixels)], tmp_path / "cache", size=(40, 40), channels=3)
    image = np.load(case["cached"])
    assert image.shape == (3, 40, 40)
    assert image[:, 5, 5].tolist() == [200, 100, 50]
    assert image[:, 5, 35].tolist() == [0, 0, 0]


def test_decoded_once(record: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = prepare_pictures([record], tmp_path / "cache")
    monkeypatch.setattr(cache, "READERS", {1: None})
    assert prepare_pictures([record], tmp_path / "cache") == [first]


def test_a_changed_file_or_setting_is_prepared_anew(record: dict, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (first,) = prepare_pictures([record], cache, size=(32, 32))
    assert prepare_pictures([record], cache, size=(32, 40))[0]["cached"] != first["cached"]
    assert prepare_pictures([record], cache, size=(32, 32), channels=3)[0]["cached"] != first["cached"]
    write(Path(record["image"]), np.full((40, 80), 77, np.uint8))
    os.utime(record["image"], (1, 1))
    (changed,) = prepare_pictures([record], cache, size=(32, 32))
    assert np.unique(np.load(changed["cached"])).tolist() == [77]


def test_the_label_is_the_record_s_not_the_cache_s(record: dict, tmp_path: Path) -> None:
    prepare_pictures([record], tmp_path / "cache")
    (case,) = prepare_pictures([{**record, "label": 0, "group": "g"}], tmp_path / "cache")
    assert (case["label"], case["group"]) == (0, "g")


def test_all_broken_images_are_told_at_once(record: dict, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("x")
    broken = [{"subject": name, "image": str(tmp_path / f"{name}.jpg")} for name in ("text", "none")]
    with pytest.raises(DatasetError) as error:
        prepare_pictures([record, *broken], tmp_path / "cache")
    assert {Path(problem.where).stem for problem in error.value.problems} == {"text", "none"}


@pytest.mark.parametrize("knobs", [{"size": (0, 240)}, {"size": (240,)}, {"channels": 2}])
def test_settings_without_a_meaning(knobs: dict, tmp_path: Path) -> None:
    with pytest.raises(KnobError):
        prepare_pictures([], tmp_path, **knobs)
