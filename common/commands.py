"""Command lines of ``python -m monai.bundle run``, as a user would type them, and how another program is run."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.command_line import NOTHING

ROOT = Path(__file__).resolve().parents[1]
"""The repository, or whatever folder this package lies in."""


PR_SET_PDEATHSIG = 1


def bundle_command(bundle: Path, run_id: str, configs: Sequence[str], overrides: Mapping[str, Any]) -> list[str]:
    """What follows ``python``: ``-m monai.bundle run <run_id> --config_file ... --bundle_root ... --name value ...``.

    Args:
        bundle: folder of the bundle.
        run_id: ``training``, ``evaluating`` or ``inferring``.
        configs: names in the bundle's ``configs``, without ``.yaml``, in the order in which they are merged.
        overrides: knobs and their values.
    """
    files = [str(path) for path in config_files(bundle, configs)]
    given = {"bundle_root": bundle, **overrides}
    options = [word for name, value in given.items() for word in (f"--{name}", as_word(value))]
    named = files[0] if len(files) == 1 else as_word(files)
    return ["-m", "monai.bundle", "run", run_id, "--config_file", named, *options]


def run_to_end(words: Sequence[str], **settings: Any) -> subprocess.CompletedProcess:
    """``subprocess.run`` for a program that ends when this process does, also where that is killed.

    On Linux the kernel sees to it; in other systems only an exception of this process ends the program.

    Args:
        words: the command.
        settings: of :func:`subprocess.run`.
    """
    return subprocess.run(words, check=False, **ending_with_parent(), **settings)


def ending_with_parent() -> dict[str, Any]:
    """Settings of :class:`subprocess.Popen` for a program that ends when this process is killed; none but on Linux."""
    if sys.platform != "linux":
        return {}
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def end_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return {"preexec_fn": end_with_parent}


def config_files(bundle: Path, configs: Sequence[str]) -> tuple[Path, ...]:
    """The files behind the names of configs."""
    return tuple(bundle / "configs" / f"{name}.yaml" for name in configs)


def as_word(value: Any) -> str:
    """A value as one word of a command line: ``[256,512]``, ``true``, ``$None``; texts and paths stay as they are."""
    if value is None:
        return NOTHING
    return str(value) if isinstance(value, str | os.PathLike) else json.dumps(value, separators=(",", ":"))


def announce(what: str) -> None:
    """Tell on stderr what a command does next, before it imports what takes seconds."""
    sys.stderr.write(f"{what} ...\n")
    sys.stderr.flush()


def shown(command: Sequence[str]) -> list[str]:
    """The command with its interpreter, as a user would type it in the repository's root."""
    return ["python", *(part.replace(f"{ROOT}{os.sep}", "") for part in command)]
