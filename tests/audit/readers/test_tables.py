from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.audit.readers.reading import Source, read_split
from common.audit.split import Split
from common.errors import DatasetError, KnobError


def read(folder: Path, text: str, encoding: str = "utf-8", **options: Any) -> Split:
    (folder / "list.csv").write_bytes(text.encode(encoding))
    return read_split(Source(folder / "list.csv", **{"ids_only": True, **options}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_separators_and_encodings(tmp_path, encoding, mark):
    rows = ["Patient,Split", "Jörg,Training", "b,val", "c,Test"]
    split = read(tmp_path, "\r\n".join(rows).replace(",", mark), encoding)
    assert split.divisions[0].sides == {"train": ("Jörg",), "validation": ("b",), "test": ("c",)}
    assert split.cases["Jörg"].patient == "Jörg"


def test_rows_of_one_id_are_one_case(tmp_path, write_volume):
    for name in ("a1.nii.gz", "a2.nii.gz", "b.nii.gz"):
        write_volume(tmp_path / name)
    split = read(tmp_path, "id,file,split\na,a1.nii.gz,train\na,a2.nii.gz,train\nb,b.nii.gz,test\n", ids_only=False)
    assert {name: len(case.files) for name, case in split.cases.items()} == {"a": 2, "b": 1}
    assert split.remarks == ()


def test_one_id_of_several_patients_is_several_cases(tmp_path):
    split = read(tmp_path, "patient,id,split\np1,1,train\np2,1,test\np3,2,test\n")
    assert split.divisions[0].sides == {"train": ("p1/1",), "test": ("p2/1", "2")}


def test_a_table_of_one_side(tmp_path):
    with pytest.raises(DatasetError, match=r"one side only \(train\)"):
        read(tmp_path, "id,split\na,train\nb,train\n")


def test_a_row_twice_is_told(tmp_path):
    assert "more than once on one side: a" in read(tmp_path, "id,split\na,train\na,train\nb,test\n").remarks[0]


@pytest.mark.parametrize("header", ["id,fold", "id,split"])
def test_numbers_are_folds(tmp_path, header):
    split = read(tmp_path, f"{header}\na,0\nb,1.0\nc,1\n")
    assert split.divisions[0].sides == {"train": ("b", "c"), "validation": ("a",)}
    assert [division.name for division in split.divisions] == ["fold 0", "fold 1"]


def test_folds_within_the_training_side(tmp_path):
    split = read(tmp_path, "id,split,fold\na,train,0\nb,train,1\nc,test,\n")
    assert split.divisions[2].sides == {"train": ("a", "b"), "test": ("c",)}


def test_sides_of_each_fold(tmp_path):
    split = read(tmp_path, "id,fold,split\na,0,train\nb,0,val\na,1,val\nb,1,train\n")
    assert [dict(division.sides) for division in split.divisions] == [
        {"train": ("a",), "validation": ("b",)},
        {"train": ("b",), "validation": ("a",)},
    ]


def test_the_column_that_is_named(tmp_path):
    text = "id,split,Site\na,train,Ulm\nb,test,Bonn\n"
    assert read(tmp_path, text, side_column="site").divisions[0].sides == {"Ulm": ("a",), "Bonn": ("b",)}
    with pytest.raises(KnobError, match="Site"):
        read(tmp_path, text, side_column="centre")


def test_no_column_of_a_side(tmp_path):
    with pytest.raises(DatasetError, match="--side_column"):
        read(tmp_path, "id,age\na,3\n")


def test_lines_without_a_side_are_told(tmp_path):
    assert read(tmp_path, "id,split\na,train\nb,\nc,test\n").remarks == ("these lines name no side: 3",)


@pytest.mark.parametrize(
    "text",
    [
        "patient,scan,split\nA,a1,train\nA,a2,train\nB,b1,train\nC,c1,test\nD,d1,test\n",
        "patient,scan,split\nA,a1,train\nA,a2,val\nB,b1,train\nB,b2,val\n",
        "patient,scan,fold\nA,a1,0\nA,a2,0\nB,b1,1\nB,b2,1\n",
        "id,split,fold\na,train,0\nb,train,1\nc,test,\n",
        "image,patient,split\nx/a.png,p1,train\nx/b.png,p1,test\n",
    ],
)
@pytest.mark.parametrize("first", [0, 1, 17])
def test_the_numbers_of_rows_that_pandas_and_r_write_are_nothing(tmp_path, text, first):
    header, *rows = text.splitlines()
    numbered = [f",{header}", *(f"{number},{row}" for number, row in enumerate(rows, first))]
    assert read(tmp_path, "\n".join(numbered)) == read(tmp_path, text)


def test_ids_in_a_column_without_a_title(tmp_path):
    split = read(tmp_path, ",patient,split\na1,A,train\na2,A,test\n")
    assert {name: case.patient for name, case in split.cases.items()} == {"a1": "A", "a2": "A"}


def test_images_are_found_by_their_names(tmp_path, write_image):
    for name in ("x/one.png", "y/two.png", "y/one.png"):
        write_image(tmp_path / "images" / name)
    split = read(tmp_path, "image,split\ntwo,train\nx/one.png,test\n", ids_only=False, images=tmp_path / "images")
    assert [Path(*case.files).name for case in split.cases.values()] == ["two.png", "one.png"]
    with pytest.raises(DatasetError, match="files in several folders"):
        read(tmp_path, "image,split\none.png,train\ntwo.png,test\n", ids_only=False, images=tmp_path / "images")
