from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.copies.groups import CopyPair, CopyReport
from common.errors import KnobError
from common.reports.checkups.images import check_images, describe_copies
from common.reports.checkups.volumes import Request
from tests.facts import in_order

PAIRS = [
    CopyPair("no/a", "no/b", 1.0, "identical file"),
    CopyPair("no/b", "yes/c", 0.9, "flipped"),
    CopyPair("yes/d", "yes/e", 0.7, "same position"),
]
CLASSES: dict[str, str | None] = {"no/a": "no", "no/b": "no", "yes/c": "yes", "yes/d": "yes", "yes/e": "yes"}


def told(classes: dict[str, str | None], threshold: float = 0.8) -> dict[str, str]:
    return describe_copies(CopyReport(dict.fromkeys(classes, ""), PAIRS, threshold), classes)


def test_groups_copies_and_contradictions_are_counted() -> None:
    """a = b = c, whose classes differ; d and e are less alike than the threshold."""
    lines = told(CLASSES)
    assert lines["groups"].startswith("3, ")
    assert lines["with a copy"] == "3 of 5 images"
    assert lines["largest group"] == "3 images, such as no/a"
    assert lines["same file"] == "1 pair"
    assert lines["least sure"] == "no/b and yes/c: 0.90"
    assert lines["refused"] == "yes/d and yes/e: 0.70"
    assert lines["mixed classes"] == "! 1 group with copies in several classes: no/a with yes/c"


def test_an_image_without_a_class_contradicts_nobody() -> None:
    assert told({**CLASSES, "yes/c": None})["mixed classes"] == "none"


def test_a_lower_threshold_joins_more() -> None:
    lines = told(CLASSES, 0.6)
    assert (lines["groups"][0], lines["with a copy"]) == ("2", "5 of 5 images")
    assert "refused" not in lines


def test_no_copies_at_all() -> None:
    lines = describe_copies(CopyReport({"a": "", "b": ""}, (), 0.8), {"a": "no", "b": "yes"})
    assert (lines["with a copy"], lines["largest group"]) == ("0 of 2 images", "none")
    assert not {"least sure", "refused"} & lines.keys()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three noisy images, one of which lies in both; and a file that is no image."""
    random = np.random.default_rng(0)
    for name in ("no", "yes"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(3):
            coarse = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
            coarse.resize((96, 64 if number else 96)).save(tmp_path / "set" / name / f"{name}{number}.png")
    (tmp_path / "set" / "no" / "copy.png").write_bytes((tmp_path / "set" / "yes" / "yes0.png").read_bytes())
    (tmp_path / "set" / "yes" / "broken.jpg").write_text("nonsense")
    return tmp_path / "set"


def test_a_folder_of_classes(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    checkup = check_images(Request(str(folder), output=str(output)))
    text = checkup.text("there")
    assert "images        7 (7 Br35H)\n" in text
    assert "classes       4 no, 3 yes" in text
    assert "size          4 96x64, 3 96x96" in text
    assert "stored as     7 PNG (grey)" in text
    assert [problem.where for problem in checkup.problems] == [str(folder / "yes" / "broken.jpg")]
    assert "groups        6, " in text
    assert in_order(text, "mixed classes ! 1 group", "no/copy with yes/yes0")
    assert f"look at       {output / 'copies.png'}" in text
    assert in_order(text, "Shortcuts to class: too few", "(4 no, 2 yes)")
    assert pd.read_csv(output / "copies.csv")["images_in_group"].tolist() == [2, 2, 1, 1, 1, 1, 1]
    assert sorted(path.name for path in folder.iterdir()) == ["no", "yes"]


def test_headers_alone_look_for_no_copies(folder: Path) -> None:
    assert "Copies" not in check_images(Request(str(folder), headers_only=True)).text("there")


def test_headers_alone_decode_no_pixel(folder: Path) -> None:
    """A picture that ends after its header is found by decoding alone."""
    noise = np.random.default_rng(9).integers(0, 255, (96, 96)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "yes" / "cut.png")
    content = (folder / "yes" / "cut.png").read_bytes()
    (folder / "yes" / "cut.png").write_bytes(content[: len(content) // 2])
    headers, all_of_them = (check_images(Request(str(folder), headers_only=only)) for only in (True, False))
    assert [Path(str(problem.where)).name for problem in headers.problems] == ["broken.jpg"]
    assert [Path(str(problem.where)).name for problem in all_of_them.problems] == ["broken.jpg", "cut.png"]
    assert (headers.read, all_of_them.read) == ("headers of all images", "all images")


@pytest.mark.parametrize("inside", [".", "copies", "no/copies"])
def test_nothing_is_written_into_the_data_set(folder: Path, inside: str) -> None:
    with pytest.raises(KnobError, match="lies in the data set"):
        check_images(Request(str(folder), output=str(folder / inside)))
    assert sorted(path.name for path in folder.iterdir()) == ["no", "yes"]


def test_a_class_whose_pictures_are_larger_is_a_shortcut(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, side in (("no", 40), ("yes", 60)):
        (tmp_path / name).mkdir()
        for number in range(8):
            pixels = random.integers(0, 256, (side, side), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    text = check_images(Request(str(tmp_path), headers_only=True)).text("there")
    assert "! The size of the picture predicts the class: AUC 1.00" in text
