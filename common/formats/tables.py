"""CSV files whose columns may have several names, as spreadsheets of any country write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import DatasetError, Problem
from common.files import is_file, is_folder, user_path

SUFFIXES = (".csv", ".tsv")
DELIMITERS = ",;\t|"
"""Excel writes semicolons where the decimal mark is a comma, and tabs as "Unicode text"."""

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
        The rows, with the columns named as in records.

    Raises:
        DatasetError: the file cannot be read, or is empty.
    """
    path = Path(path)
    try:
        text = _decode(path.read_bytes())
        body = text.lstrip("\r\n")
        before = len(text[: len(text) - len(body)].splitlines())
        reader = csv.DictReader(io.StringIO(body, newline=""), restval="", delimiter=_delimiter_of(body))
        titles = {record_name(name, names): name.strip() for name in reader.fieldnames or ()}
        rows = [(before + reader.line_num, _rename(row, names)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "Save it as a comma-separated file in UTF-8 (in Excel: CSV UTF-8)."
        raise DatasetError(Problem(f"cannot be read as CSV ({error})", path, hint)) from error
    if not titles:
        raise DatasetError(Problem("the file is empty", path, "A header row and one row per patient are expected."))
    return Table(path, titles, rows)


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
    # csv puts the cells beyond the header under None.
    return {record_name(name, names): from_cell((text or "").strip()) for name, text in row.items() if name is not None}
