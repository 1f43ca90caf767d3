"""All tasks that the suite knows: the ``TASK`` of every module of this package.

A new task is a new module here; nothing else has to name it. A task without a module is judged all the same, in plain
words and without printed numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from common.tasks.nouns import Nouns
from common.tasks.task import Task

SEGMENTATION = "segmentation"
"""The task of a summary without ``target``."""


@cache
def tasks() -> tuple[Task, ...]:
    """All of them, by name."""
    modules = [import_module(f"{__package__}.{found.name}") for found in iter_modules([str(Path(__file__).parent)])]
    found = [module.TASK for module in modules if hasattr(module, "TASK")]
    return tuple(sorted(found, key=lambda task: task.name))


def find_task(name: str) -> Task:
    """The task of this name; of an unknown one a task in plain words."""
    return next((task for task in tasks() if task.name == name), Task(name))


def task_of_bundle(bundle: str) -> Task | None:
    """The task of the bundle in a folder of this name."""
    return next((task for task in tasks() if task.bundle == bundle), None)


def task_of(summary: Mapping[str, Any]) -> Task:
    """The task of a summary as of ``metrics.json``."""
    return find_task(str(summary.get("target", SEGMENTATION)))


def nouns_of(summary: Mapping[str, Any]) -> Nouns:
    """The nouns of a summary with ``target`` and ``protocol``; patients where nothing else is known."""
    return task_of(summary).nouns_under(str(summary.get("protocol")))


def asked_by(label: str) -> str:
    """A label in words, as the object of *predict*; the key itself where no task has it.

    Args:
        label: a record's key, or the words without their article.
    """
    return next((task.asked for task in tasks() if label in (task.label, task.asked.removeprefix("the "))), label)
