from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.cohorts.image_list import scan_image_list
from common.cohorts.reading import read_cohort, scan_cohort
from common.errors import DatasetError, KnobError

Writer = Callable[..., Path]


read_images = partial(read_cohort, kind="images")


@pytest.fixture
def images(tmp_path: Path, write_image: Writer) -> Path:
    for name in ("yes/y1.jpg", "yes/y2.jpg", "no/n1.jpg"):
        write_image(tmp_path / name)
    return tmp_path


def write_csv(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def told(path: Path, **knobs: object) -> str:
    with pytest.raises(DatasetError) as error:
        read_images(datalist=path, **knobs)
    return str(error.value)


def test_every_broken_file_is_told_at_once(images: Path) -> None:
    (images / "yes" / "cut.jpg").write_bytes((images / "yes" / "y1.jpg").read_bytes()[:300])
    (images / "yes" / "text.jpg").write_text("nothing")
    (images / "no" / "empty.png").touch()
    Image.new("L", (8, 8)).save(images / "no" / "small.png")
    Image.new("RGB", (64, 64), (9, 9, 9)).save(images / "no" / "blank.jpg")
    with pytest.raises(DatasetError) as error:
        read_images(images)
    found = {Path(problem.where).name: problem.what for problem in error.value.problems}
    assert set(found) == {"cut.jpg", "text.jpg", "empty.png", "small.png", "blank.jpg"}
    assert found["blank.jpg"] == "all its pixels are equal"
    sound, problems = scan_cohort(images, kind="images")
    assert ([record["subject"] for record in sound], len(problems)) == (["no/n1", "yes/y1", "yes/y2"], 5)


def test_broken_images_can_be_left_out(images: Path) -> None:
    (images / "yes" / "text.jpg").write_text("nothing")
    for exclude, left in (("yes/text", ["no/n1", "yes/y1", "yes/y2"]), (["yes/text", "no/n1"], ["yes/y1", "yes/y2"])):
        assert [record["subject"] for record in read_images(images, exclude=exclude)] == left


def test_one_image_for_inference(images: Path) -> None:
    (record,) = read_images(images / "yes" / "y1.jpg", need_label=False)
    assert (record["subject"], record["label"]) == ("y1", None)


def test_nothing_given_and_nothing_left(images: Path) -> None:
    with pytest.raises(KnobError, match="no data set is given"):
        read_images()
    with pytest.raises(DatasetError, match="no image is left"):
        read_images(images, exclude="yes/y1,yes/y2,no/n1")


def test_a_list(images: Path) -> None:
    path = write_csv(images, "Image,Label,group", "yes/y1.jpg,tumour,a", "yes/y2.jpg,tumour,", "no/n1.jpg,none,b")
    records = read_images(datalist=path)
    assert [(r["subject"], r["label"], r["class_name"], r.get("group")) for r in records] == [
        ("no/n1", 0, "none", "b"),
        ("yes/y1", 1, "tumour", "a"),
        ("yes/y2", 1, "tumour", None),
    ]
    assert records[0]["image"] == str(images / "no" / "n1.jpg")
    assert not any("scan" in record for record in records)


def test_several_images_of_a_patient_are_scans(images: Path) -> None:
    path = write_csv(images, "image,label,subject", "yes/y1.jpg,1,p1", "yes/y2.jpg,1,p1", "no/n1.jpg,0,p2")
    records = read_images(datalist=path)
    assert [(r["subject"], r.get("scan")) for r in records] == [("p1", "yes/y1"), ("p1", "yes/y2"), ("p2", None)]
    left, _ = scan_image_list(path, excluded=("p2",))
    assert [record["subject"] for record in left] == ["p1", "p1"]


def test_a_json_list(images: Path) -> None:
    path = images / "list.json"
    entries = [{"image": "yes/y1.jpg", "label": "yes"}, {"image": "no/n1.jpg", "label": "no"}]
    path.write_text(json.dumps({"training": entries}))
    assert [record["label"] for record in read_images(datalist=path)] == [0, 1]


def test_all_that_is_wrong_with_a_list(images: Path) -> None:
    path = write_csv(images, "image,label", "yes/y1.jpg,1", "yes/y1.jpg,0", "none.jpg,0", ",1", "no/n1.jpg,")
    message = told(path)
    for expected in (
        "more than once: line 2, line 3",
        "line 4: its image",
        "line 5: names no image",
        "line 6: names no label",
    ):
        assert expected in message


def test_a_list_of_one_class_without_labels_or_empty(images: Path) -> None:
    assert "of one class, yes" in told(write_csv(images, "image,label", "yes/y1.jpg,yes", "yes/y2.jpg,yes"))
    assert "no column label" in told(write_csv(images, "image", "yes/y1.jpg"))
    assert "lists no image" in told(write_csv(images, "image,label"))
    path = write_csv(images, "image", "yes/y1.jpg")
    assert [record["label"] for record in read_images(datalist=path, need_label=False)] == [None]


def test_real(realdata: Path) -> None:
    assert len(read_images(realdata / "br35h")) == 797


def test_the_user_s_folder_is_left_as_it_was(images: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in images.rglob("*")}
    read_images(images)
    assert {path: path.stat().st_mtime_ns for path in images.rglob("*")} == before
    assert np.all([path.exists() for path in before])


def test_an_image_beside_or_above_its_list_has_a_name_that_stays_in_a_folder(images: Path) -> None:
    (images / "lists").mkdir()
    path = write_csv(images / "lists", "image,label", "../yes/y1.jpg,tumour", f"{images / 'no' / 'n1.jpg'},none")
    records = read_images(datalist=path)
    start = str(images).lstrip("/")
    assert [record["subject"] for record in records] == [f"{start}/no/n1", f"{start}/yes/y1"]


def test_two_images_of_one_name_are_told(images: Path) -> None:
    absolute = images / "no" / "n1.jpg"
    (images / "lists" / absolute.relative_to("/")).parent.mkdir(parents=True)
    (images / "lists" / absolute.relative_to("/")).write_bytes((images / "yes" / "y1.jpg").read_bytes())
    path = write_csv(images / "lists", "image,label,subject", f"{absolute},0,p", f"{absolute.relative_to('/')},1,p")
    (problem,) = scan_image_list(path)[1]
    assert "line 2, line 3" in problem.what


def test_a_subject_that_cannot_name_a_file(images: Path) -> None:
    lines = ("yes/y1.jpg,1,../../p1", "yes/y2.jpg,1,a/b", "no/n1.jpg,0,p2")
    with pytest.raises(DatasetError) as caught:
        read_images(datalist=write_csv(images, "image,label,subject", *lines))
    assert [str(problem.where)[-6:] for problem in caught.value.problems] == ["line 2", "line 3"]
    assert all("separator" in problem.what for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 300 + ".png", "~nobody-of-this-name/a.png"])
def test_a_path_that_the_system_refuses_is_told_in_its_line(images: Path, name: str) -> None:
    # make fuzz, seed 1: csv_list 139
    path = write_csv(images, "image,label", f"{name},yes", f"{name},no")
    problems = scan_image_list(path)[1]
    assert [problem.what.endswith("does not exist") for problem in problems] == [True, True]
