"""``python -m monai.bundle ...`` in the process of a test, where MONAI is imported already."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import find_glioma_error


def run_here(command: Sequence[str], cwd: Path) -> str:
    """The error of ours that a command ends in, or nothing.

    Args:
        command: what follows ``python``.
        cwd: the folder that it is given in.
    """
    assert tuple(command[:2]) == ("-m", "monai.bundle")
    with pytest.MonkeyPatch.context() as patch:
        # The logging file would silence pytest's own handlers.
        patch.setattr(sys, "argv", ["monai.bundle", *map(str, command[2:]), "--logging_file", "False"])
        patch.chdir(cwd)
        try:
            runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
        except Exception as caught:
            error = find_glioma_error(caught)
            assert error is not None, caught
            return f"{type(error).__name__}: {error}"
    return ""
