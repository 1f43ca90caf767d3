"""An environment that has the installed packages and not this project."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.errors import OutputError, Problem

LAST_LINES = 15


class BareEnvironment:
    """Runs Python with the packages of this environment, without this project.

    A virtual environment whose one ``.pth`` file names the folders of these packages: what is installed as editable
    lies elsewhere, and is not found.

    Args:
        folder: for the environment; one that is there already is used again.
        settings: environment variables of its processes.

    Raises:
        OutputError: ``common`` can be imported there, so nothing could be learnt from it.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.settings = {**os.environ, **(settings or {}), "PYTHONNOUSERSITE": "1"}
        self.settings.pop("PYTHONPATH", None)
        if not folder.exists():
            venv.create(folder, symlinks=os.name != "nt")
        here = {name: sysconfig.get_path(name, vars={"base": str(folder)}) for name in ("purelib", "scripts")}
        self.python = str(Path(here["scripts"], Path(sys.executable).name))
        packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        Path(here["purelib"], "packages.pth").write_text("\n".join(packages) + "\n", encoding="utf-8")
        found = self.run(["-c", "import importlib.util as u; print(u.find_spec('common'))"], folder)
        if found.stdout.strip() != "None":
            hint = "Install this project as editable (pip install -e .), or use an environment without it."
            raise OutputError(Problem(f"this project can be imported there: {found.stdout.strip()}", str(folder), hint))

    def run(self, words: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run ``python <words>`` and wait; the output is kept."""
        command = [self.python, *words]
        return subprocess.run(command, cwd=cwd, env=self.settings, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command told last."""
    return (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]


def last_lines(done: subprocess.CompletedProcess[str]) -> str:
    """The end of what a command told, and its exit code."""
    told = "\n".join((done.stdout + done.stderr).strip().split("\n")[-LAST_LINES:])
    return f"{told}\n(exit {done.returncode})"
