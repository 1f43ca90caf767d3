"""CSV files whose columns may have several names, as spreadsheets of any country write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from common.errors import DatasetError, Problem
from common.files import is_file, is_folder, user_path

SUFFIXES = (".csv", ".tsv")
DELIMITERS = ",;\t|"
"""Excel writes semicolons where the decimal mark is a comma, and tabs as "Unicode text"."""

ABOVE_THE_HEADER = re.compile(rf"[\r\n]*(?:sep=[{DELIMITERS}][^\S\r\n]*[\r\n]+)?[\r\n]*", re.IGNORECASE)
"""Empty lines, and the one by which Excel is told the delimiter."""

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MISSING = frozenset({"", "na", "n/a", "nan", "none", "null"})
RECORD_NAMES = {
    "survival": "survival_days",
    "resectionstatus": "resection",
    "extent_of_resection": "resection",
    "label": "seg",
    "mgmt_value": "mgmt",
}
"""What records call a column that has another name, in lower case."""

SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What a formula begins with, also in the full width of Chinese and Japanese fonts."""

LIKE_A_FORMULA = re.compile(f"'*[{SIGNS}]")
PROTECTED = re.compile(f"'+[{SIGNS}]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

SPELLINGS = {
    "grade": "Grade",
    "age": "Age",
    "survival_days": "Survival_days (or Survival)",
    "resection": "Extent_of_Resection (or ResectionStatus)",
    "seg": "seg (or label)",
    "mgmt": "MGMT_value (or mgmt)",
}


@dataclass(frozen=True)
class Table:
    """A CSV file, its columns named as in records.

    Args:
        path: the file.
        titles: what the file calls each column.
        rows: line number and text by column.
    """

    path: Path
    titles: dict[str, str]
    rows: list[tuple[int, dict[str, str]]]


def read_table(path: str | Path, names: Mapping[str, str] = RECORD_NAMES) -> Table:
    """Read a file with a header row, in UTF-8 or UTF-16, with either line ending.

    Args:
        path: the file; which of :data:`DELIMITERS` separates its columns is seen in the header row.
        names: what records call a column that has another name, by its title in lower case; in place of the usual ones.

    Returns:
        The rows, with the columns named as in records; those whose cells are all empty are left out.

    Raises:
        DatasetError: the file cannot be read, or is empty; two columns mean the same; rows have more cells than the
            header; or the file ends within a row.
    """
    path = Path(path)
    try:
        text = _decode(path.read_bytes())
        body = text[cast(re.Match[str], ABOVE_THE_HEADER.match(text)).end() :]
        before = len(text[: len(text) - len(body)].splitlines())
        reader = csv.DictReader(io.StringIO(body, newline=""), delimiter=_delimiter_of(body), strict=True)
        titles = {record_name(name, names): name.strip() for name in reader.fieldnames or ()}
        cells = [(before + reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "Save it as a comma-separated file in UTF-8 (in Excel: CSV UTF-8)."
        raise DatasetError(Problem(f"cannot be read as CSV ({error})", path, hint)) from error
    if not titles:
        raise DatasetError(Problem("the file is empty", path, "A header row and one row per patient are expected."))
    twice = _tell_titles_twice(reader.fieldnames or (), names, path)
    if problems := [*twice, *_tell_long_rows(cells, path), *_tell_cut(cells, body, path)]:
        raise DatasetError(problems)
    rows = [(line, _rename(row, names)) for line, row in cells]
    return Table(path, titles, [(line, row) for line, row in rows if any(row.values())])


def _tell_titles_twice(titles: Iterable[str], names: Mapping[str, str], path: Path) -> list[Problem]:
    """Columns of one meaning, of which only one could be read; those without a title are nobody's."""
    columns: dict[str, list[str]] = {}
    for title in filter(str.strip, titles):
        columns.setdefault(record_name(title, names), []).append(title.strip())
    hint = "Keep one of them."
    told = [" and ".join(same) for same in columns.values() if len(same) > 1]
    return [Problem(f"two of its columns mean the same: {same}", path, hint) for same in told]


def _tell_long_rows(rows: Iterable[tuple[int, Mapping[Any, Any]]], path: Path) -> list[Problem]:
    """Rows with cells beyond the header: a comma within a cell has split it, and moved those after it."""
    hint = "A comma within a cell needs quotation marks around it; a decimal comma needs them too, or a point."
    # csv puts the cells beyond the header under None.
    long = [line for line, row in rows if any(cell.strip() for cell in row.get(None, ()))]
    return [Problem("has more cells than the header row", f"{path}, line {line}", hint) for line in long]


def _tell_cut(rows: Sequence[tuple[int, Mapping[Any, Any]]], text: str, path: Path) -> list[Problem]:
    """A file that ends in the middle of a row: its last number may have lost digits."""
    if not rows or text.endswith(("\n", "\r")) or None not in rows[-1][1].values():
        return []
    what = "the file ends before its last row is whole"
    return [Problem(what, f"{path}, line {rows[-1][0]}", "Download or copy the file again.")]


def _decode(content: bytes) -> str:
    return content.decode("utf-16" if content.startswith(UTF_16_MARKS) else "utf-8-sig")


def _delimiter_of(text: str) -> str:
    """The delimiter that splits the header row into most columns; a comma where none does."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), ())))


def listed_path(folder: Path, text: str) -> Path:
    """The file or folder that a list in ``folder`` names.

    Args:
        folder: where relative paths start.
        text: the path as it is written. The backslashes of a list made on Windows separate folders where the path
            does not exist as it is written and does so read.
    """
    path = user_path(text, folder)
    if "\\" in text and not (is_file(path) or is_folder(path)):
        read = listed_path(folder, text.replace("\\", "/"))
        return read if is_file(read) or is_folder(read) else path
    return path


def require_columns(table: Table, needed: Iterable[str], spellings: Mapping[str, str] = SPELLINGS) -> None:
    """Refuse a table without the columns that are ``needed``, given as records name them.

    Args:
        table: of a data set.
        needed: its columns.
        spellings: what the data set calls them, for the message.

    Raises:
        DatasetError: with all that are not there.
    """
    lacking = [spellings.get(name, name) for name in needed if name not in table.titles]
    if lacking:
        what = f"has no column {', '.join(lacking)}; its columns are {', '.join(table.titles.values())}"
        raise DatasetError(Problem(what, table.path, "Add what is lacking, or download the file again."))


def record_name(column: str, names: Mapping[str, str] = RECORD_NAMES) -> str:
    """What records call ``column``: ``survival_days`` for ``Survival``, ``age`` for ``Age``."""
    lowered = column.strip().lower()
    return names.get(lowered, lowered)


def as_text(value: Any) -> str:
    """``value`` as stripped text, empty where it means not known (``NA``, ``nan``, ``None`` and such)."""
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in MISSING else text


def as_cell(value: Any) -> Any:
    """A value as it is written in a table; texts that look like a formula get an apostrophe before them.

    An id, a class or a file's name comes from somebody else. A cell that begins with ``=``, ``+``, ``-`` or ``@`` is
    computed when a person opens the table in a spreadsheet, and such a formula can start programs (OWASP, CSV
    Injection). Numbers such as -1 and +3 are harmless and stay as they are.
    """
    if not isinstance(value, str) or not LIKE_A_FORMULA.match(value) or NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def from_cell(value: Any) -> Any:
    """What :func:`as_cell` was given."""
    return value[1:] if isinstance(value, str) and PROTECTED.match(value) else value


def _rename(row: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {record_name(name, names): from_cell((text or "").strip()) for name, text in row.items() if name is not None}
