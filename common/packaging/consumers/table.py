"""The table of bundles and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from common.errors import GliomaError
from common.packaging.consumers.agreement import Wrong
from common.packaging.consumers.cells import CELLS, verified
from common.packaging.consumers.environment import BareEnvironment
from common.packaging.consumers.trials import Trial
from common.packaging.consumers.workplace import open_workplace

COLUMNS = ("folder alone", "zip elsewhere", "zoo full", "Label infer", "Deploy", "load", "MonaiAlgo")
NOT_TRIED, WRONG = "not tried", "WRONG"

Row = dict[str, str]
"""What came out, by column; what is wrong begins with :data:`WRONG`, and goes on with what was told."""


def try_bundle(
    trial: Trial,
    folder: Path,
    bare: BareEnvironment,
    zoo: Path | None = None,
    schema: Path | None = None,
    weights: Path | None = None,
) -> Row:
    """Try all cells of a bundle that need no environment of their own.

    Args:
        trial: of the bundle.
        folder: new.
        bare: the environment without this project.
        zoo: the model zoo's ``ci/verify_bundle.py``, where it is at hand.
        schema: MONAI's schema of metadata, or its folder.
        weights: in place of a training.
    """
    cells = {**CELLS, "zoo full": lambda place: verified(place, zoo, schema)}
    try:
        place = open_workplace(trial, folder, bare, weights)
    except (Wrong, GliomaError) as error:
        return dict.fromkeys(cells, f"{WRONG}: {error}")
    row: Row = {}
    for name, cell in cells.items():
        try:
            row[name] = cell(place)
        except (Wrong, GliomaError) as error:
            row[name] = f"{WRONG}: {error}"
    return row


def as_markdown(rows: Mapping[str, Row]) -> str:
    """The table, and below it what is wrong.

    Args:
        rows: by the names of bundles.
    """
    lines = [f"| bundle | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for bundle, row in rows.items():
        shown = [WRONG if _is_wrong(row, column) else row.get(column, NOT_TRIED) for column in COLUMNS]
        lines.append(f"| `{bundle}` | {' | '.join(shown)} |")
    told = [f"\n{bundle}, {column}: {row[column]}" for bundle, row in rows.items() for column in _wrong_in(row)]
    return "\n".join([*lines, *told])


def is_green(rows: Mapping[str, Row]) -> bool:
    """Whether nothing that was tried is wrong."""
    return not any(_wrong_in(row) for row in rows.values())


def _wrong_in(row: Row) -> Sequence[str]:
    return [column for column in COLUMNS if _is_wrong(row, column)]


def _is_wrong(row: Row, column: str) -> bool:
    return row.get(column, "").startswith(WRONG)
