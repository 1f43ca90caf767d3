"""Tables with a row for each case or image, and a column for the side or the fold."""

from __future__ import annotations

from pathlib import Path

from common.audit.readers.rows import Places, Row, make_split, without_row_numbers
from common.audit.split import Split, side_named
from common.errors import DatasetError, KnobError, Problem
from common.formats.tables import Table, as_text, read_table
from common.names import name_some

SIDE = ("split", "side", "set", "subset", "partition", "phase", "dataset_split", "data_split", "usage")
FOLD = ("fold", "kfold", "cv_fold", "fold_id")


def read_sides(path: Path, side_column: str | None, images: Path | None, ids_only: bool) -> Split:
    """Read a CSV file; commas, semicolons and tabs, UTF-8 and UTF-16 are understood.

    Args:
        path: the file.
        side_column: its name; ``None`` for one of :data:`SIDE` or :data:`FOLD`.
        images: the folder that paths start at, or that holds the images of ids; ``None`` for the file's own.
        ids_only: no image is needed.

    Raises:
        DatasetError: it cannot be read, has no such column, or rows that name nothing.
        KnobError: there is no column of that name.
    """
    table = read_table(path, {})
    side, fold = _choose_columns(table, side_column)
    rows, unsided = [], []
    for line, texts in without_row_numbers(table):
        values = {key: text for key, text in texts.items() if key not in (side, fold)}
        word, number = as_text(texts[side]) if side else "", _fold_of(texts[fold]) if fold else None
        if not word and number is None:
            unsided.append(str(line))
        else:
            rows.append(Row(values, (side_named(word) or word) if word else None, number))
    places = Places(images or path.parent, search=images is not None and not ids_only)
    split = make_split(f"a table, sides by its column {table.titles[side or fold or '']}", path, rows, places)
    told = [f"these lines name no side: {name_some(unsided)}"] if unsided else []
    return Split(split.kind, path, split.cases, split.divisions, (*split.remarks, *told))


def _choose_columns(table: Table, wanted: str | None) -> tuple[str | None, str | None]:
    """The columns of the side and of the fold; a column of whole numbers holds folds."""
    columns = f"Its columns: {', '.join(table.titles.values())}."
    if wanted is not None:
        name = wanted.strip().lower()
        if name not in table.titles:
            raise KnobError(Problem(f"{table.path} has no column {wanted}", "--side_column", columns))
        return (None, name) if _holds_folds(table, name) else (name, None)
    side = next((name for name in SIDE if name in table.titles), None)
    fold = next((name for name in FOLD if name in table.titles), None)
    if side is None and fold is None:
        hint = f"Name it with --side_column. {columns}"
        raise DatasetError(Problem("no column is known to name the side", table.path, hint))
    if fold is not None and not _holds_folds(table, fold):
        side, fold = side or fold, None
    if side is not None and fold is None and _holds_folds(table, side):
        side, fold = None, side
    return side, fold


def _holds_folds(table: Table, name: str) -> bool:
    return all(_fold_of(texts[name]) is not None for _, texts in table.rows if as_text(texts[name]))


def _fold_of(text: str | None) -> int | None:
    """``2`` and ``2.0`` as a number, ``None`` for any other text."""
    try:
        value = float(as_text(text))
    except ValueError:
        return None
    return int(value) if value.is_integer() else None
