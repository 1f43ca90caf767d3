from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import DatasetError
from common.files import is_file
from common.formats.tables import listed_path, read_table

ROWS = [["subject", "Age", "note"], ["Müller", "61", "a, b; c"], ["p2", "48", ""]]


def write(path: Path, delimiter: str, encoding: str = "utf-8") -> Path:
    cells = [[f'"{cell}"' if set(",;") & set(cell) else cell for cell in row] for row in ROWS]
    path.write_bytes("\r\n".join(delimiter.join(row) for row in cells).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_row_tells_the_delimiter(tmp_path, delimiter, encoding):
    table = read_table(write(tmp_path / "list.csv", delimiter, encoding))
    assert table.titles == {"subject": "subject", "age": "Age", "note": "note"}
    assert [row for _, row in table.rows] == [
        {"subject": "Müller", "age": "61", "note": "a, b; c"},
        {"subject": "p2", "age": "48", "note": ""},
    ]


def test_one_column_needs_no_delimiter(tmp_path):
    (tmp_path / "list.csv").write_text("subject\np1\n")
    assert read_table(tmp_path / "list.csv").rows == [(2, {"subject": "p1"})]


def test_an_encoding_that_is_not_unicode_is_refused_rather_than_guessed(tmp_path):
    with pytest.raises(DatasetError, match="UTF-8"):
        read_table(write(tmp_path / "list.csv", ";", "cp1252"))


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_told(tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(DatasetError, match="empty"):
        read_table(tmp_path / "list.csv")


def test_backslashes_separate_folders_where_such_a_file_exists(tmp_path):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "t1.nii").touch()
    assert listed_path(tmp_path, "p1\\t1.nii") == tmp_path / "p1" / "t1.nii"
    assert listed_path(tmp_path, "p2\\t1.nii") == tmp_path / "p2\\t1.nii"
    (tmp_path / "p1\\t1.nii").touch()
    assert listed_path(tmp_path, "p1\\t1.nii") == tmp_path / "p1\\t1.nii"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_empty_lines_above_the_header_row_count_as_lines(tmp_path, end):
    # make fuzz, seed 0: csv_table 37, 53, 104
    (tmp_path / "list.csv").write_bytes(f"{end}{end}subject;Age{end}p1;61{end}".encode())
    table = read_table(tmp_path / "list.csv")
    assert table.rows == [(4, {"subject": "p1", "age": "61"})]


@pytest.mark.parametrize("text", ["~nobody-of-this-name/t1.nii", "x" * 300, "x" * 300 + "\\t1.nii", "a\0b", "\ud800"])
def test_a_path_that_the_system_refuses_is_a_path_that_is_not_there(tmp_path, text):
    # make fuzz, seed 0: csv_list 14, 18, json_list 59
    assert listed_path(tmp_path, text) == tmp_path / text
    assert not is_file(listed_path(tmp_path, text))


def test_a_decimal_comma_in_a_comma_separated_file_is_no_shorter_number(tmp_path):
    (tmp_path / "list.csv").write_text("subject,grade,Age\np1,HGG,61,5\np2,LGG,50\n")
    with pytest.raises(DatasetError, match=r"list\.csv, line 2: has more cells than the header row.*decimal comma"):
        read_table(tmp_path / "list.csv")


def test_empty_cells_beyond_the_header_and_empty_rows_are_what_spreadsheets_add(tmp_path):
    (tmp_path / "list.csv").write_text("subject;Age;\np1;61;;;\n;;\np2;50\n;;\n")
    assert [(line, row["subject"], row["age"]) for line, row in read_table(tmp_path / "list.csv").rows] == [
        (2, "p1", "61"),
        (4, "p2", "50"),
    ]


@pytest.mark.parametrize("titles", ["subject,Age,age", "subject,Survival,survival_days"])
def test_two_columns_of_one_meaning_are_refused_as_only_one_could_be_read(tmp_path, titles):
    (tmp_path / "list.csv").write_text(f"{titles}\np1,61,20\n")
    with pytest.raises(DatasetError, match=f"mean the same: {titles.split(',')[1]} and {titles.split(',')[2]}"):
        read_table(tmp_path / "list.csv")


def test_a_quotation_mark_that_nothing_closes_swallows_no_rows(tmp_path):
    (tmp_path / "list.csv").write_text('subject,Age,note\np1,61,"bled\np2,50,\np3,40,\n')
    with pytest.raises(DatasetError, match="cannot be read as CSV"):
        read_table(tmp_path / "list.csv")


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=; \n", "\nsep=;\n\n"])
def test_the_line_that_tells_excel_the_delimiter_is_no_header(tmp_path, first):
    (tmp_path / "list.csv").write_bytes(f"{first}subject;Age\r\np1;61,5\r\n".encode())
    table = read_table(tmp_path / "list.csv")
    assert [row for _, row in table.rows] == [{"subject": "p1", "age": "61,5"}]
    assert table.rows[0][0] == len(first.splitlines()) + 2


def test_a_file_that_was_cut_within_its_last_row_is_told(tmp_path):
    whole = "subject,Age,Survival\np1,61.5,405\np2,48.25,300"
    (tmp_path / "whole.csv").write_text(whole)
    assert [row["age"] for _, row in read_table(tmp_path / "whole.csv").rows] == ["61.5", "48.25"]
    (tmp_path / "cut.csv").write_text(whole[:-6])
    with pytest.raises(DatasetError, match=r"cut\.csv, line 3: the file ends before its last row is whole"):
        read_table(tmp_path / "cut.csv")


def test_cells_that_a_row_leaves_out_are_empty(tmp_path):
    (tmp_path / "list.csv").write_text("subject,Age\np1\np2,48\n")
    assert [row for _, row in read_table(tmp_path / "list.csv").rows] == [
        {"subject": "p1", "age": ""},
        {"subject": "p2", "age": "48"},
    ]
