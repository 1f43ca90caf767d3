"""All data sets that the suite knows: the ``DATA_SETS`` of every module of this package.

A new data set is a new module here; nothing else has to name it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from common.cohorts.datasets.data_set import DataSet, Outline
from common.files import is_folder, user_path


@cache
def data_sets() -> tuple[DataSet, ...]:
    """All of them, in the order in which they are asked whether a folder is theirs."""
    modules = sorted(module.name for module in iter_modules([str(Path(__file__).parent)]))
    found = [
        data_set for name in modules for data_set in getattr(import_module(f"{__package__}.{name}"), "DATA_SETS", ())
    ]
    return tuple(sorted(found, key=lambda data_set: data_set.rank))


def find_data_set(
    folder: str | os.PathLike[str], is_meant: Callable[[DataSet], bool] = lambda _: True
) -> DataSet | None:
    """The data set that a folder holds, by the names in it; ``None`` where nothing is recognised.

    Args:
        folder: as somebody unpacked it.
        is_meant: whether a data set is one that is looked for; where a folder holds several of the lowest rank, the
            first of these.
    """
    root = user_path(folder)
    if not is_folder(root):
        return None
    outline = Outline(root)
    found = [data_set for data_set in data_sets() if data_set.recognise(outline)]
    if not found:
        return None
    first = (data_set for data_set in found if data_set.rank == found[0].rank)
    return next(filter(is_meant, first), found[0])


def data_set_named(name: str) -> DataSet:
    """By what records call it.

    Raises:
        KeyError: there is none of that name.
    """
    return {data_set.name: data_set for data_set in data_sets()}[name]


def tell_terms(sources: Iterable[str]) -> str:
    """Under which terms the data sets are given, and what to cite; of lists of one's own nothing is known."""
    used = set(sources)
    known = [data_set for data_set in data_sets() if data_set.name in used and data_set.terms]
    return " | ".join(f"{found.title}: {found.terms}; cite {found.citation}" for found in known)


def source_name(source: str) -> str:
    """The name of a data set as people write it; of a person's own as that person wrote it."""
    return next((data_set.title for data_set in data_sets() if data_set.name == source), source)
