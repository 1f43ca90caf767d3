"""Copies are found whatever was done to them; look-alikes are not."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common.copies import pair_comparison
from common.copies.alignment import Pairs, Pictures
from common.copies.groups import CopyPair, CopyReport
from common.copies.search import IDENTICAL, search_copies
from common.errors import DatasetError, KnobError
from common.phantoms.writing.planted_copies import COPIERS
from common.phantoms.writing.slice_pictures import phantom_slice
from tests.copies.near_copies import COPIES, make_slice, save

OTHERS = 12


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[CopyReport, Path]:
    """One slice with a copy of every kind, among others that have none."""
    folder = tmp_path_factory.mktemp("copies")
    records = [save(make_slice(seed), folder / f"other{seed}.jpg") for seed in range(1, OTHERS + 1)]
    source = make_slice(0)
    records.append(save(source, folder / "source.jpg", quality=95))
    records += [save(change(source), folder / f"{kind}.jpg") for kind, change in COPIES.items()]
    return search_copies(records, workers=1), folder


@pytest.mark.parametrize("kind", COPIES)
def test_every_kind_of_copy_is_found(planted: tuple[CopyReport, Path], kind: str) -> None:
    report, _ = planted
    assert report.group_of[kind] == report.group_of["source"]


def test_other_slices_stay_alone(planted: tuple[CopyReport, Path]) -> None:
    report, _ = planted
    assert [len(group) for group in report.groups] == [len(COPIES) + 1] + [1] * OTHERS
    assert report.groups[0] == sorted([*COPIES, "source"])
    assert set(report.group_of.values()) == {min([*COPIES, "source"]), *(f"other{seed}" for seed in range(1, 13))}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("saved anew", "same position"),
        ("rotated 90", "rotated 90°"),
        ("rotated 180", "rotated 180°"),
        ("rotated 270", "rotated 270°"),
        ("mirrored", "flipped left to right"),
        ("upside down", "flipped top to bottom"),
        ("cut to the middle", "cropped"),
        ("tilted", "rotated 20°"),
    ],
)
def test_what_was_done_is_told(tmp_path: Path, kind: str, words: str) -> None:
    source = make_slice(3)
    records = [save(source, tmp_path / "a.jpg"), save(COPIES[kind](source), tmp_path / "b.jpg", quality=70)]
    (pair,) = search_copies(records, workers=1).pairs
    assert (pair.first, pair.second, pair.transform.removesuffix(", cropped")) == ("a", "b", words)


def test_neighbouring_slices_are_no_copies_and_do_not_chain(tmp_path: Path) -> None:
    # Each differs from the next as slices of a volume do: the same outline, and folds that correlate by 0.5.
    records = [save(make_slice(5, neighbour=share), tmp_path / f"{share}.jpg") for share in (-0.87, 0, 0.87)]
    report = search_copies(records, workers=1)
    assert report.pairs == []
    assert report.compared, "the neighbours must look alike enough to be compared at all"


def test_pixelated_and_sharpened_phantoms_are_found_and_others_are_not_joined(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = {index: phantom_slice(3, index, 120, healthy=True) for index in range(8)}
    records = [save(picture.image, tmp_path / f"{index}.jpg") for index, picture in pictures.items()]
    copies = {index: COPIERS["pixelated"](rng, picture).image for index, picture in pictures.items()}
    records += [save(copy, tmp_path / f"{index} copied.jpg") for index, copy in copies.items()]
    assert search_copies(records, workers=2).groups == [[f"{index}", f"{index} copied"] for index in range(8)]


def test_the_same_file_under_two_names(tmp_path: Path) -> None:
    records = [save(make_slice(1), tmp_path / "a.jpg"), save(make_slice(2), tmp_path / "b.jpg")]
    shutil.copy(tmp_path / "a.jpg", tmp_path / "c.jpg")
    records.append({"subject": "c", "image": str(tmp_path / "c.jpg")})
    report = search_copies(records, workers=1)
    assert report.pairs == [CopyPair("a", "c", 1.0, IDENTICAL)]
    assert report.groups == [["a", "c"], ["b"]]


def test_colour_modes_and_wrong_suffixes(tmp_path: Path) -> None:
    source = make_slice(7)
    records = [save(source, tmp_path / "grey.jpg"), save(source.convert("RGB"), tmp_path / "rgb.jpg")]
    clear = source.convert("RGBA")
    clear.putalpha(Image.fromarray(np.uint8(np.where(np.asarray(source) > 12, 255, 0))))
    wide = Image.fromarray(np.asarray(source).astype(np.uint16) * 200)
    odd = {"palette": source.convert("P"), "clear": clear, "wide": wide}
    for name, image in odd.items():
        image.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.png").rename(tmp_path / f"{name}.jpg")
        records.append({"subject": name, "image": str(tmp_path / f"{name}.jpg")})
    assert search_copies(records, workers=1).groups == [["clear", "grey", "palette", "rgb", "wide"]]


def test_all_broken_files_are_told_at_once(tmp_path: Path) -> None:
    records = [save(make_slice(1), tmp_path / "sound.jpg"), save(make_slice(2), tmp_path / "cut.jpg")]
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no picture")
    records += [{"subject": name, "image": str(tmp_path / f"{name}.jpg")} for name in ("text", "missing")]
    with pytest.raises(DatasetError) as told:
        search_copies(records, workers=1)
    assert [Path(problem.where).stem for problem in told.value.problems] == ["cut", "text", "missing"]
    assert "does not exist" in str(told.value)


def test_a_picture_of_one_value_has_no_copies(tmp_path: Path) -> None:
    records = [save(Image.new("L", (90, 60), grey), tmp_path / f"{grey}.jpg") for grey in (0, 128)]
    records.append(save(make_slice(1), tmp_path / "slice.jpg"))
    assert search_copies(records, workers=1).pairs == []


def test_a_single_image_and_none(tmp_path: Path) -> None:
    assert search_copies([], workers=1).groups == []
    assert search_copies([save(make_slice(1), tmp_path / "a.jpg")], workers=1).groups == [["a"]]


def test_twice_the_same_subject_and_a_senseless_threshold(tmp_path: Path) -> None:
    record = save(make_slice(1), tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match="occurs twice"):
        search_copies([record, record])
    with pytest.raises(KnobError, match="82"):
        search_copies([record], threshold=82)


def test_comparisons_do_not_grow_with_the_square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    for name in ("correlate_details", "fit_maps"):
        function = getattr(pair_comparison, name)

        def count(pictures: Pictures, pairs: Pairs, *rest: Any, run: Callable[..., Any] = function) -> Any:
            compared.extend(pairs.first)
            return run(pictures, pairs, *rest)

        monkeypatch.setattr(pair_comparison, name, count)
    source = make_slice(0)
    records = [save(source, tmp_path / f"copy{quality}.jpg", quality) for quality in range(70, 95)]
    records += [save(make_slice(seed), tmp_path / f"other{seed}.jpg") for seed in range(1, 26)]
    report = search_copies(records, workers=1)
    assert len(report.groups[0]) == 25
    assert 24 <= len(compared) < 3 * len(records), "25 copies have 300 pairs, 50 images 1,225"


def test_the_curve_and_the_csv(tmp_path: Path) -> None:
    images = {name: f"{name}.jpg" for name in "dcba"}
    compared = [
        CopyPair("a", "b", 0.95, "flipped"),
        CopyPair("b", "c", 0.85, "rotated 90°"),
        CopyPair("a", "c", 0.65, "cropped"),
    ]
    report = CopyReport(images, compared, threshold=0.9)
    assert report.groups == [["a", "b"], ["c"], ["d"]]
    points = {point.threshold: (point.pairs, point.groups) for point in report.curve}
    assert (points[0.6], points[0.8], points[0.9], points[0.96]) == ((3, 2), (2, 2), (1, 3), (0, 4))
    report.to_csv(tmp_path / "groups.csv")
    rows = list(csv.DictReader((tmp_path / "groups.csv").open(encoding="utf-8")))
    assert [(row["group"], row["images_in_group"], row["subject"], row["copy_of"]) for row in rows] == [
        ("a", "2", "a", "b"),
        ("a", "2", "b", "a"),
        ("c", "1", "c", ""),
        ("d", "1", "d", ""),
    ]


def test_order_and_processes_change_nothing(tmp_path: Path) -> None:
    sources = [make_slice(seed) for seed in range(4)]
    records = [save(source, tmp_path / f"a{index}.jpg") for index, source in enumerate(sources)]
    records += [save(COPIES["mixed"](source), tmp_path / f"b{index}.jpg") for index, source in enumerate(sources)]
    report = search_copies(records, workers=1)
    assert report.groups == [[f"a{index}", f"b{index}"] for index in range(4)]
    assert search_copies(records[::-1], workers=2).groups == report.groups


def test_the_real_sample(realdata: Path) -> None:
    with (realdata / "br35h_groups.csv").open(encoding="utf-8") as file:
        truth = {row["file"]: row["group"] for row in csv.DictReader(file)}
    records = [{"subject": name, "image": str(realdata / "br35h" / name)} for name in truth]
    known: dict[str, list[str]] = {}
    for name, group in truth.items():
        known.setdefault(group, []).append(name)
    assert sorted(search_copies(records).groups) == sorted(map(sorted, known.values()))
