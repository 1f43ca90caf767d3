"""What happens to a run at a moment: it is killed, the disk is full, or its folders may not be written to any more."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.soak.children import Child

KILLS = ("SIGKILL", "SIGTERM", "SIGINT")
FULL, FORBIDDEN = "full disk", "read-only folders"
MISHAPS = (*KILLS, FULL, FORBIDDEN)

LONGEST_DELAY = 0.03
"""Seconds between a moment and the signal: some fall between two moments, in the middle of a write."""

TO_END = 30.0
"""Seconds within which a run that was interrupted has ended."""

SIZE = "2g"
LARGEST = 50_000
"""Bytes of a file where the limit of a process stands for a full disk: what the run says must fit."""

RIGHTS = "-dac_override,-dac_read_search"
BOUND = ["setpriv", "--bounding-set", RIGHTS, "--inh-caps", RIGHTS]
"""Starts a program as a root that the modes of folders bind too."""


def give_up_rights() -> None:
    """Start anew as a root that the modes of folders bind; other users are bound by them anyway."""
    if not _is_bound() and _can_be_bound():
        os.execvp(BOUND[0], [*BOUND, sys.executable, "-m", "tests.soak", *sys.argv[1:]])


def missing_ways() -> dict[str, str]:
    """The mishaps that cannot be had here, and why."""
    return {} if _is_bound() else {FORBIDDEN: "root may write everywhere, and setpriv cannot take that from it here"}


def _can_be_bound() -> bool:
    ask = "from tests.soak.mishaps import _is_bound; raise SystemExit(not _is_bound())"
    tried = [*BOUND, sys.executable, "-c", ask]
    return bool(shutil.which(BOUND[0])) and subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _is_bound() -> bool:
    if os.geteuid():
        return True
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next(line for line in lines if line.startswith("CapEff"))
    return not int(effective.split()[1], 16) & 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


class Disk:
    """A small disk of its own in memory where root can mount one; else a folder, which is full by ``RLIMIT_FSIZE``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.is_mount():  # by a soak that was killed
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
        is_root = os.geteuid() == 0 and shutil.which("mount")
        self.is_mounted = bool(is_root) and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def fill(self, child: Child) -> None:
        """Leave no space."""
        if self.is_mounted:
            used = shutil.disk_usage(self.folder).used
            self._resize(str(used))
        else:
            _, hard = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (LARGEST, hard))

    def free(self) -> None:
        """Make room again."""
        if self.is_mounted:
            self._resize(SIZE)

    def remove(self) -> None:
        """Unmount it and remove everything."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
        shutil.rmtree(self.folder)

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)


@contextlib.contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """No folder below may be written to meanwhile."""
    folders = [path for path in (folder, *folder.rglob("*")) if path.is_dir() and not path.is_symlink()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in folders}
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path, mode in modes.items():
            if path.exists():
                path.chmod(mode)


def strike(mishap: str, child: Child, disk: Disk, draw: random.Random) -> int | None:
    """Let it happen to a child that has halted; returns the exit code, ``None`` where it does not end."""
    if mishap == FULL:
        disk.fill(child)
        child.release()
        code = child.wait()
        disk.free()
        return code
    if mishap == FORBIDDEN:
        with forbidden(disk.folder):
            child.release()
            return child.wait()
    to_group = mishap == "SIGINT" or draw.random() < 0.3
    if draw.random() < 0.5:
        child.release()
        time.sleep(draw.uniform(0, LONGEST_DELAY))
    child.send(signal.Signals[mishap], to_group)
    child.release()
    return child.wait(TO_END)
