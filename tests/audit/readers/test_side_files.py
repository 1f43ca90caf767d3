from __future__ import annotations

import pytest

from common.audit.readers.reading import Source, read_split
from common.errors import DatasetError


def test_lines_with_and_without_a_label(tmp_path, write_image):
    for name in ("a (1).png", "b.png", "c.png"):
        write_image(tmp_path / "images" / name)
    (tmp_path / "train.txt").write_text("images/a (1).png\nimages/b.png 0\n\n")
    (tmp_path / "val.txt").write_text("c.png, 1\n")
    (tmp_path / "README.txt").write_text("Not a list.")
    split = read_split(Source(tmp_path, ids_only=True))
    assert split.divisions[0].sides == {"train": ("images/a (1).png", "images/b.png"), "validation": ("c.png",)}
    with pytest.raises(DatasetError, match="listed files do not exist"):
        read_split(Source(tmp_path))


def test_names_with_blanks_and_labels(tmp_path):
    (tmp_path / "train.txt").write_text("# path label\nimgs/Y (1).jpg 1\nimgs/Y (2).JPG,no tumour\n")
    (tmp_path / "val.txt").write_text("# path label\nimgs/Y (3).nii.gz; 1\na b.png masks/a b.png\n")
    sides = read_split(Source(tmp_path, ids_only=True)).divisions[0].sides
    assert sides == {
        "train": ("imgs/Y (1).jpg", "imgs/Y (2).JPG"),
        "validation": ("imgs/Y (3).nii.gz", "a b.png"),
    }


def test_ids_with_labels(tmp_path):
    (tmp_path / "train.txt").write_text("p1 0\np2.5,1\n")
    (tmp_path / "val.txt").write_text("p3\n")
    sides = read_split(Source(tmp_path, ids_only=True)).divisions[0].sides
    assert sides == {"train": ("p1", "p2.5"), "validation": ("p3",)}


def test_tables_of_sides(tmp_path):
    (tmp_path / "train.csv").write_text("patient;age\np1;3\n")
    (tmp_path / "test.csv").write_text("patient,age\np1,3\np2,5\n")
    split = read_split(Source(tmp_path, ids_only=True))
    assert split.divisions[0].sides == {"train": ("p1",), "test": ("p1", "p2")}


def test_numbers_of_rows_are_no_ids(tmp_path):
    (tmp_path / "train.csv").write_text(",patient,age\n0,p1,3\n1,p2,4\n")
    (tmp_path / "test.csv").write_text(",patient,age\n0,p3,3\n")
    split = read_split(Source(tmp_path, ids_only=True))
    assert split.divisions[0].sides == {"train": ("p1", "p2"), "test": ("p3",)}


def test_folders_of_sides_come_before_lists_of_labels(tmp_path, write_image):
    for side in ("train", "test"):
        write_image(tmp_path / side / f"{side}.png")
        (tmp_path / f"{side}.csv").write_text("id,label\n3,1\n")
    assert set(read_split(Source(tmp_path)).cases) == {"train/train.png", "test/test.png"}


def test_one_list_is_no_split(tmp_path):
    (tmp_path / "train.txt").write_text("a\n")
    with pytest.raises(DatasetError, match="no folders of two sides"):
        read_split(Source(tmp_path, ids_only=True))
