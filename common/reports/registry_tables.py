"""What the documents say of the registries: their tables, and the prose of a bundle's ``metadata.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.cohorts.datasets.registry import data_sets
from common.files import write_text
from common.metrics.measures import title_of
from common.reports.marked_parts import read_document, write_parts
from common.tasks.registry import task_of_bundle, tasks
from common.tasks.task import Task


def task_table() -> str:
    """The bundles as a Markdown table, one row per task."""
    rows = [
        f"| [`{task.bundle}`](bundles/{task.bundle}/docs/README.md) | {task.question} | {title_of(task.key_measure)} "
        f"| {', '.join(task.papers)} |"
        for task in sorted(tasks(), key=lambda task: task.bundle)
    ]
    return "\n".join(["| bundle | what it does | key measure | after |", "|---|---|---|---|", *rows])


def data_set_table() -> str:
    """The data sets that are read as a Markdown table, one row each."""
    bundles = {task.name: task.bundle for task in tasks()}
    rows = [
        f"| {found.title} | {found.origin} | {found.kind.value} "
        f"| {', '.join(f'`{bundles[name]}`' for name in found.tasks)} | {found.terms} |"
        for found in sorted(data_sets(), key=lambda data_set: data_set.title)
        if not found.refused
    ]
    heading = "| data set | where, by its official name | what it holds | trained and judged on it | terms |"
    return "\n".join([heading, "|---|---|---|---|---|", *rows])


TABLES: Mapping[str, Callable[[], str]] = {"tasks": task_table, "data_sets": data_set_table}
"""The tables of README and of ``docs/data_sets.md``, under the names in their marks: ``<!-- table:tasks -->``."""


def update_tables(path: Path, check: bool = False) -> bool:
    """Write the tables of :data:`TABLES` between the marks of a document.

    Args:
        path: of the document.
        check: only find out whether a table is stale.

    Returns:
        Whether a table was stale.

    Raises:
        KnobError: its marks are missing or incomplete.
    """
    return write_parts(path, "table", lambda name: TABLES[name](), check)


def update_metadata(path: Path, check: bool = False) -> bool:
    """Write the prose of a bundle's task into its metadata; what is not prose stays as it is.

    Args:
        path: of ``metadata.json`` in the bundle's ``configs``; it stays as it is where no task names the bundle.
        check: only find out whether the prose is stale.

    Returns:
        Whether it was stale.

    Raises:
        KnobError: it cannot be read.
    """
    text = read_document(path)
    task = task_of_bundle(path.parents[1].name)
    fresh = json.dumps({**json.loads(text), **(_prose_of(task) if task else {})}, indent=4, ensure_ascii=False) + "\n"
    if fresh != text and not check:
        write_text(path, fresh)
    return fresh != text


def _prose_of(task: Task) -> dict[str, Any]:
    prose = asdict(task.prose) if task.prose else {}
    own = prose.pop("own_data", "")
    titles = [data_set.title for data_set in data_sets() if task.name in data_set.tasks]
    return {**prose, "data_source": f"{'; '.join(sorted(titles))}, as downloaded; or {own}"} if prose else {}
