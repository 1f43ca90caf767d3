"""What memory this process takes, as Linux tells it."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from pathlib import Path

INTERVAL = 0.01
STATUS = Path("/proc/self/status")


@contextlib.contextmanager
def watched() -> Iterator[list[float]]:
    """A list whose one number is the peak of this process's anonymous memory so far, in megabytes.

    It is looked at every 10 ms, on a thread of its own.
    """
    peak, over = [anonymous()], threading.Event()

    def look() -> None:
        while not over.wait(INTERVAL):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def anonymous() -> float:
    """This process's anonymous memory (``RssAnon``) in megabytes; not a number where the system is another.

    Memory-mapped files are not in it: the system takes their pages back when it needs them.
    """
    if not STATUS.exists():
        return math.nan
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024 / 1e6
