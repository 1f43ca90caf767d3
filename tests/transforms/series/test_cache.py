from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError, KnobError
from common.phantoms.writing.dicom_writer import write_slice
from common.transforms.series import plan
from common.transforms.series.cache import prepare_series
from common.transforms.series.plan import spread_slices


def write_ramp(folder: Path, heights: list[int], columns: int = 8) -> str:
    """Slices whose pixels are ten times their height, with one dark and one bright pixel."""
    for number, height in enumerate(heights):
        pixels = np.full((6, columns), 10 * height, np.int16)
        pixels[0, 0] = 0
        write_slice(folder / f"{number}.dcm", pixels, (0, 0, height), (1, 1), folder.name, number=number)
    return str(folder)


@pytest.fixture
def record(tmp_path: Path) -> dict:
    flair = write_ramp(tmp_path / "flair", [9, 8, 7, 6, 5, 4, 3, 2, 1, 10])
    return {"subject": "00000", "flair": flair, "t2": write_ramp(tmp_path / "t2", [1, 2, 3, 4, 5]), "label": 1}


@pytest.mark.parametrize(
    ("depth", "count", "share", "expected"),
    [
        (10, 1, 0.5, [5]),
        (10, 2, 1.0, [2, 7]),
        (100, 5, 0.5, [30, 40, 50, 60, 70]),
        (10, 10, 0.2, list(range(10))),
        (10, 4, 0.2, [3, 4, 5, 6]),
        (2, 4, 0.5, [0, 0, 1, 1]),
    ],
)
def test_spread(depth: int, count: int, share: float, expected: list[int]) -> None:
    assert spread_slices(depth, count, share) == expected


def test_slices_are_the_channels_at_the_same_heights(record: dict, tmp_path: Path) -> None:
    (case,) = prepare_series([record], tmp_path / "cache", ["flair", "t2"], 5, size=(8, 6), central_share=1.0)
    slices = np.load(case["cached"])
    assert (slices.shape, slices.dtype) == ((5, 2, 8, 6), np.float16)
    assert case["positions"] == {"flair": [1, 3, 5, 7, 9], "t2": [0, 1, 2, 3, 4]}
    assert case["modalities"] == ["flair", "t2"]
    # The slices taken of flair are 20, 40, 60, 80 and 100 bright, those of t2 10 to 50; the dark pixel is 0.
    np.testing.assert_allclose(slices[:, 0, 2, 3], [0.2, 0.4, 0.6, 0.8, 1.0], atol=1e-3)
    np.testing.assert_allclose(slices[:, 1, 2, 3], [0.2, 0.4, 0.6, 0.8, 1.0], atol=1e-3)
    assert (slices[:, 0, 0, 0] == 0).all()
    assert case["planes"] == {"flair": "axial", "t2": "axial"}


def test_an_absent_modality_is_zeros(record: dict, tmp_path: Path) -> None:
    (case,) = prepare_series([record], tmp_path / "cache", ["t1", "t2"], 2, size=(8, 8))
    slices = np.load(case["cached"])
    assert not slices[:, 0].any()
    assert slices[:, 1].any()
    assert list(case["positions"]) == ["t2"]


def test_single_bright_pixels_do_not_decide_the_scale(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 1000, (64, 64)).astype(np.int16)
    pixels[3, 3] = 32000
    write_slice(tmp_path / "a" / "1.dcm", pixels, (0, 0, 0), (1, 1), "a")
    (case,) = prepare_series([{"subject": "p", "t2": str(tmp_path / "a")}], tmp_path / "c", ["t2"], 1, size=(64, 64))
    slices = np.load(case["cached"])
    assert np.median(slices) > 0.4
    assert slices.max() == 1


def test_decoded_once_and_anew_when_a_slice_changes(
    record: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (tmp_path / "cache", ["flair"], 2)
    (first,) = prepare_series([record], *arguments)
    with monkeypatch.context() as patch:
        patch.setattr(plan, "list_slices", None)
        assert prepare_series([{**record, "label": 0}], *arguments) == [{**first, "label": 0}]
    write_slice(Path(record["flair"]) / "3.dcm", np.ones((6, 5), np.int16), (0, 0, 6), (1, 1), "flair", number=3)
    with pytest.raises(DatasetError, match="differ in size"):
        prepare_series([record], *arguments)


def test_exported_images(tmp_path: Path) -> None:
    for number in range(1, 12):
        pixels = np.full((40, 40), 20 * number, np.uint8)
        pixels[:2] = 0
        (tmp_path / "png").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "png" / f"Image-{number}.png")
    records = [{"subject": "p", "t2": str(tmp_path / "png")}]
    (case,) = prepare_series(records, tmp_path / "c", ["t2"], 11, size=(40, 40))
    np.testing.assert_allclose(np.load(case["cached"])[:, 0, 20, 20], np.arange(1, 12) / 11, atol=1e-3)
    assert case["planes"] == {"t2": None}


def test_missing_slices_are_used_around_and_told(
    record: dict, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gapped = {**record, "flair": write_ramp(tmp_path / "gapped", [1, 2, 3, 6, 7])}
    with caplog.at_level(logging.WARNING):
        (case,) = prepare_series([gapped], tmp_path / "cache", ["flair"], 2, size=(8, 8))
    assert case["missing_slices"] == {"flair": 2}
    assert "Series of 1 patients lack slices" in caplog.text


def test_everything_that_is_wrong_is_told_at_once(record: dict, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for number in range(3):
        write_slice(tmp_path / "blank" / f"{number}.dcm", np.zeros((6, 6), np.int16), (0, 0, number), (1, 1), "blank")
    records = [
        {"subject": "p1", "flair": str(tmp_path / "empty"), "t2": str(tmp_path / "blank")},
        {"subject": "p2", "flair": str(tmp_path / "none"), "t2": record["t2"]},
        record,
    ]
    with pytest.raises(DatasetError) as error:
        prepare_series(records, tmp_path / "cache", ["flair", "t2"], 2)
    message = str(error.value)
    for expected in ("empty: holds no DICOM image", "blank: all pixels of its 2 middle slices are equal", "none"):
        assert expected in message
    assert "--exclude p1" in message


def test_settings_without_a_meaning(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        prepare_series([], tmp_path, [], slices_per_subject=0, central_share=0)
    assert len(error.value.problems) == 3


def test_real(realdata: Path, tmp_path: Path) -> None:
    records = [{"subject": "p", "t1": str(realdata / "dicom" / "t1_defaced")}]
    (case,) = prepare_series(records, tmp_path, ["t1"], 8, size=(224, 224))
    slices = np.load(case["cached"])
    assert slices.shape == (8, 1, 224, 224)
    assert 0.05 < slices.mean() < 0.6
