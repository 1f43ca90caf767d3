from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from common.cohorts.datasets.br35h import order_classes, read_br35h, scan_br35h
from common.cohorts.datasets.data_set import Wanted
from common.errors import DatasetError, KnobError

Writer = Callable[..., Path]


@pytest.fixture
def br35h(tmp_path: Path, write_image: Writer) -> Path:
    for name in ("yes/y1.jpg", "yes/Y2.JPG", "no/no1.jpg", "no/No13.jpg", "pred/pred0.jpg"):
        write_image(tmp_path / name)
    return tmp_path


def names(records: list[dict]) -> list[str]:
    return [record["subject"] for record in records]


def test_a_record_an_image(br35h: Path) -> None:
    records = read_br35h(br35h)
    assert names(records) == ["no/No13", "no/no1", "yes/Y2", "yes/y1"]
    assert records[-1] == {
        "subject": "yes/y1",
        "image": str(br35h / "yes" / "y1.jpg"),
        "label": 1,
        "class_name": "yes",
        "source": "br35h",
    }
    assert [record["label"] for record in records] == [0, 0, 1, 1]


def test_pred_is_skipped_and_told_when_labels_are_needed(br35h: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        read_br35h(br35h)
    assert "pred" in caplog.text
    unlabelled = [record for record in read_br35h(br35h, need_label=False) if record["label"] is None]
    assert names(unlabelled) == ["pred/pred0"]
    assert unlabelled[0]["class_name"] is None


def test_other_folders_of_the_download_are_no_classes(br35h: Path, write_image: Writer) -> None:
    write_image(br35h / "Br35H-Mask-RCNN" / "TRAIN" / "y1.jpg")
    assert len(read_br35h(br35h)) == 4


def test_the_classes_are_found_deeper_and_in_any_case(tmp_path: Path, write_image: Writer) -> None:
    write_image(tmp_path / "archive" / "data" / "YES" / "y1.jpg")
    write_image(tmp_path / "archive" / "data" / "No" / "n1.jpg")
    records = read_br35h(tmp_path)
    assert [(record["class_name"], record["label"]) for record in records] == [("no", 0), ("yes", 1)]


def test_two_copies_of_the_data_set_are_refused(tmp_path: Path, write_image: Writer) -> None:
    for name in ("a/yes/y1.jpg", "a/no/n1.jpg", "b/yes/y1.jpg", "b/no/n1.jpg"):
        write_image(tmp_path / name)
    with pytest.raises(DatasetError, match="a and b both hold"):
        read_br35h(tmp_path)


def test_any_folder_of_classes(tmp_path: Path, write_image: Writer) -> None:
    for name in ("pituitary/1.jpg", "glioma/1.jpg", "notumor/1.png", "glioma/deep/1.jpg"):
        write_image(tmp_path / name)
    records = read_br35h(tmp_path)
    labels = {record["subject"]: (record["class_name"], record["label"]) for record in records}
    assert labels == {
        "glioma/1": ("glioma", 1),
        "glioma/deep/1": ("glioma", 1),
        "notumor/1": ("notumor", 0),
        "pituitary/1": ("pituitary", 2),
    }


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["yes", "no"], ("no", "yes")),
        (["glioma", "No_Tumour", "meningioma"], ("No_Tumour", "glioma", "meningioma")),
        (["10", "2", "1"], ("1", "2", "10")),
        (["1", "0"], ("0", "1")),
    ],
)
def test_the_order_of_labels(given: list[str], ordered: tuple[str, ...]) -> None:
    assert order_classes(given) == ordered


def test_two_files_of_one_stem_keep_names_of_their_own(br35h: Path, write_image: Writer) -> None:
    write_image(br35h / "yes" / "y1.png")
    assert names(read_br35h(br35h))[-2:] == ["yes/y1.jpg", "yes/y1.png"]


@pytest.mark.parametrize("file", ["y1.jpg.jpg", "y1.png.jpg"])
def test_a_stem_that_is_the_name_of_another_file(br35h: Path, write_image: Writer, file: str) -> None:
    for name in ("y1.png", file):
        write_image(br35h / "yes" / name)
    records = [record for record in read_br35h(br35h) if record["class_name"] == "yes"]
    assert names(records) == ["yes/Y2", "yes/y1.jpg", *sorted(["yes/y1.png", f"yes/{file}"])]
    assert [Path(record["image"]).name for record in records[1:]] == [name[4:] for name in names(records)[1:]]


@pytest.mark.parametrize("need_label", [True, False])
@pytest.mark.parametrize("name", ["Yes", "No", "YES"])
def test_two_folders_of_a_class(br35h: Path, write_image: Writer, name: str, need_label: bool) -> None:
    write_image(br35h / name / "q.jpg")
    with pytest.raises(DatasetError, match=f"{name} and {name.lower()} differ only by case"):
        read_br35h(br35h, need_label=need_label)


def test_two_folders_of_another_class(tmp_path: Path, write_image: Writer) -> None:
    for name in ("glioma/1.jpg", "Glioma/2.jpg", "none/1.jpg"):
        write_image(tmp_path / name)
    with pytest.raises(DatasetError, match="Glioma and glioma differ only by case"):
        read_br35h(tmp_path)


def test_a_name_left_out(br35h: Path) -> None:
    records, problems = scan_br35h(br35h, Wanted(("yes/y1",)))
    assert (names(records), problems) == (["no/No13", "no/no1", "yes/Y2"], [])
    with pytest.raises(KnobError, match="yes/y1"):
        scan_br35h(br35h, Wanted(("yes/y11",)))


def test_files_that_are_no_images_are_told_not_read(br35h: Path, caplog: pytest.LogCaptureFixture) -> None:
    (br35h / "yes" / "Thumbs.db").write_bytes(b"x")
    with caplog.at_level(logging.INFO):
        assert names(read_br35h(br35h)) == ["no/No13", "no/no1", "yes/Y2", "yes/y1"]
    assert "1 files in" in caplog.text


def test_sides_of_a_split_are_no_classes(tmp_path: Path, write_image: Writer) -> None:
    write_image(tmp_path / "Training" / "glioma" / "1.jpg")
    write_image(tmp_path / "Testing" / "glioma" / "1.jpg")
    with pytest.raises(DatasetError, match="sides of a split"):
        read_br35h(tmp_path)


def test_an_empty_class_and_a_single_class(tmp_path: Path, write_image: Writer) -> None:
    write_image(tmp_path / "glioma" / "1.jpg")
    with pytest.raises(DatasetError, match="only one class, glioma"):
        read_br35h(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="holds no image"):
        read_br35h(tmp_path)


def test_bare_images_are_for_inference_only(tmp_path: Path, write_image: Writer) -> None:
    write_image(tmp_path / "b.jpg")
    write_image(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match="no image in a subfolder"):
        read_br35h(tmp_path)
    records = read_br35h(tmp_path, need_label=False)
    assert [(record["subject"], record["label"]) for record in records] == [("a", None), ("b", None)]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        read_br35h(tmp_path / "none")


def test_real(realdata: Path) -> None:
    records = read_br35h(realdata / "br35h")
    assert [sum(record["label"] == label for record in records) for label in (0, 1)] == [369, 428]
    assert {"no/No13", "no/no1", "yes/y999"} <= set(names(records))


def test_links_are_followed_but_not_back_to_where_they_lie(tmp_path: Path) -> None:
    for name in ("set/yes/y1.png", "set/no/n1.png", "elsewhere/y2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "set" / "yes" / "more").symlink_to(tmp_path / "elsewhere")
    for name, target in (("back", "set"), ("here", "set/yes")):
        (tmp_path / "set" / "yes" / name).symlink_to(tmp_path / target)
    assert [record["subject"] for record in read_br35h(tmp_path / "set")] == ["no/n1", "yes/more/y2", "yes/y1"]
