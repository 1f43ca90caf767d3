"""What the short form of a table must leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.image import imread

from common.reproduction.papers.catalogue import find_table
from common.runs.processes import DONE
from tests.scripts.papers.short_forms import SHORT_FORMS


def check_table(name: str, folder: Path, content: dict[str, Any]) -> None:
    """All runs were done, and every number and every figure of the table is there, in every column that was asked for.

    Args:
        name: of the table.
        folder: where its command wrote.
        content: of ``table.json``.
    """
    form = SHORT_FORMS[name]
    plan = find_table(name, form.task)
    assert content["phantoms"]
    states = {run["run"].rpartition("/")[0]: run["state"] for run in content["runs"]}
    asked = form.rows or states
    assert {name: states[name] for name in asked} == dict.fromkeys(asked, DONE)
    assert len(content["cells"]) == len(plan.cells) + len(plan.searches)
    left_out = {
        (cell.row, cell.column)
        for cell in plan.cells
        if cell.model not in asked or {cell.row, cell.column} & {*form.blank}
    }
    for cell in content["cells"]:
        means = [part["mean"] for part in cell["measured"]]
        place = (cell["row"], cell["column"])
        assert place in left_out or (len(means) == len(form.columns) and None not in means), place
    page = (folder / "table.html").read_text(encoding="utf-8")
    drawn = [row["file"] for row in content["figures"]]
    columns = [f"-{column}" for column in form.columns]
    assert drawn == [
        f"{figure.name}{column}.png" for figure in plan.figures for column in (columns if figure.models else [""])
    ]
    for file in drawn:
        assert imread(folder / file).std() > 0, file
        assert file in page
