from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.cohorts.datasets.br35h import read_br35h
from common.cohorts.kinds.images import find_image_problems
from common.cohorts.phantom_mark import is_phantom
from common.errors import KnobError, OutputError
from common.formats.images import read_image
from common.phantoms.layouts.br35h import make_br35h_phantoms
from common.phantoms.scans import phantom_subject
from common.phantoms.writing.planted_copies import COPIERS
from common.phantoms.writing.slice_pictures import phantom_slice


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_br35h_phantoms(tmp_path_factory.mktemp("br35h"), originals=16, copies=3.0, seed=1, side=100)


@pytest.fixture(scope="module")
def copies(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "copies.csv")


def mark_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_read_as_the_real_one(folder: Path, copies: pd.DataFrame) -> None:
    records = read_br35h(folder)
    assert not find_image_problems(records)
    assert len(records) == len(copies)
    assert {record["label"] for record in records} == {0, 1}
    unlabelled = [record for record in read_br35h(folder, need_label=False) if record["label"] is None]
    assert len(unlabelled) == 4
    assert all(map(is_phantom, [*records, *unlabelled]))


def test_the_table_tells_every_file_its_original_and_its_group(folder: Path, copies: pd.DataFrame) -> None:
    written = {path.relative_to(folder).as_posix() for name in ("yes", "no") for path in (folder / name).iterdir()}
    assert written == set(copies.image)
    originals = copies[copies.kind.str.startswith("original")]
    assert (originals.image == originals.original).all()
    assert len(originals) == copies.group.nunique() == 32
    assert copies.groupby("group").original.nunique().eq(1).all()
    assert set(COPIERS) <= set(copies.kind)


def test_identical_copies_and_no_others_are_byte_for_byte(folder: Path, copies: pd.DataFrame) -> None:
    for row in copies[~copies.kind.str.startswith("original")].itertuples():
        same = mark_of(folder / row.image) == mark_of(folder / row.original)
        assert same == (row.kind == "identical"), row


def test_brains_of_two_groups_differ(folder: Path, copies: pd.DataFrame) -> None:
    originals = copies[copies.image == copies.original].image
    small = [
        np.asarray(Image.fromarray(read_image(folder / name)).resize((24, 24)), dtype=float).ravel()
        for name in originals
    ]
    alike = np.corrcoef(small)
    np.fill_diagonal(alike, 0)
    assert alike.max() < 0.99


def test_odd_files_as_in_the_real_one(folder: Path, copies: pd.DataFrame) -> None:
    kinds = set(copies.kind[copies.kind.str.startswith("original, ")])
    assert len(kinds) >= 3
    modes = set()
    for name in copies.image:
        with Image.open(folder / name) as image:
            modes.add((image.mode, image.format, Path(name).suffix.lower()))
    assert {("RGB", "JPEG", ".jpg"), ("L", "JPEG", ".jpg"), ("L", "PNG", ".jpg")} <= modes


def test_masks_lie_where_the_tumour_is(folder: Path, copies: pd.DataFrame) -> None:
    for name in copies.image[copies.image.str.startswith("yes/")]:
        mask = read_image((folder / "masks" / name).with_suffix(".png")) > 127
        assert mask.shape == read_image(folder / name).shape
        assert 0.002 < mask.mean() < 0.3
    assert not (folder / "masks" / "no").exists()


def test_a_healthy_head_is_the_same_one_before_the_tumour() -> None:
    ill, healthy = (phantom_subject(4, 1, (48, 48, 16), healthy=healthy) for healthy in (False, True))
    assert not healthy.mask.any()
    assert ill.mask[:, :, ill.level].any()
    assert healthy.level == ill.level
    inside = [subject.modalities["t1"] > 0 for subject in (ill, healthy)]
    assert (inside[0] != inside[1]).mean() < 0.02
    whole = ill.mask > 0
    assert np.median(ill.modalities["flair"][whole]) > 1.3 * np.median(healthy.modalities["flair"][whole])


def test_nothing_but_the_tumour_tells_it() -> None:
    """Sizes, and brightness outside the tumour, are drawn alike in both classes."""
    pictures = [(phantom_slice(3, index, 64, healthy=index % 2 == 1), index % 2) for index in range(30)]
    brightness: dict[int, list[float]] = {0: [], 1: []}
    widths: dict[int, list[int]] = {0: [], 1: []}
    for picture, is_healthy in pictures:
        pixels, mask = np.asarray(picture.image), np.asarray(picture.mask) > 0
        assert mask.any() != bool(is_healthy)
        brightness[is_healthy].append(float(np.median(pixels[(pixels > 20) & ~mask])))
        widths[is_healthy].append(picture.image.width)
    for values in (brightness, widths):
        spread = np.std([*values[0], *values[1]])
        assert abs(np.mean(values[0]) - np.mean(values[1])) < spread


def test_the_tumour_is_brighter_than_the_tissue_around_it() -> None:
    contrasts = []
    for index in range(10):
        picture = phantom_slice(5, index, 64)
        pixels, mask = np.asarray(picture.image, dtype=float), np.asarray(picture.mask) > 0
        contrasts.append(pixels[mask].mean() / pixels[(pixels > 20) & ~mask].mean())
    assert np.median(contrasts) > 1.2


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    first, again = (make_br35h_phantoms(tmp_path / name, originals=3, copies=2.0, seed=1, side=100) for name in "ab")
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(files) > 12
    assert all(mark_of(first / name) == mark_of(again / name) for name in files)


def test_bad_settings_are_told_at_once_and_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        make_br35h_phantoms(tmp_path / "a", originals=0, copies=-1, seed=-1, side=2)
    assert len(error.value.problems) == 4
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match="is not empty"):
        make_br35h_phantoms(tmp_path)
