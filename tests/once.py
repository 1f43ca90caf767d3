"""What several processes that run tests need is made by the first of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this session, which ``make`` fills the first time that any process asks for it.

    Args:
        factory: pytest's, of the session.
        name: of the folder.
        make: gets the folder, which is there and empty.

    Returns:
        The folder: read it, never write into it.
    """
    own = factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "made_once" / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{name}.lock")):
        made = folder.with_name(f"{name}.made")
        if not made.exists():
            make(folder)
            made.touch()
    return folder
