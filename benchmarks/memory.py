"""The peak memory of training on 60 cases, against training on 6.

Both run the segmentation's `configs/train.yaml` in a process and on a thread of their own, from an empty cache through
one short epoch and its validation. Counted is anonymous memory (`RssAnon` of Linux), sampled every 10 ms: a cohort
held in memory would show in it, while the pages of memory-mapped files, which the system takes back when it needs them,
do not. The cases measure 128x128x64 and the network's share is small (batches of 8 crops of 96x96), so that 54 more
cases held in memory would show. A process of its own is run for each size and round.

What grows is no data of ours: each brain's box makes arrays of new sizes, which glibc's heap fits ever worse into the
gaps that earlier ones left; the growth flattens (1123, 1143, 1151, 1184 and 1268 MB with 6, 11, 16, 30 and 60 cases).
With `MALLOC_MMAP_THRESHOLD_=1048576` in the environment larger arrays are given back to the system at once: 1096 MB
against 1051 MB, a ratio of 1.04, for a third more of the processor's time in this run. It is for whoever lacks memory.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.timing import Ratio

NAME = "training memory"
LIMIT = 1.1
SIZES = (60, 6)
INTERVAL = 0.01
STATUS = Path("/proc/self/status")


def measure(cohorts: dict[int, Path], folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Megabytes at the peak; ``cohorts`` has a folder of patients for each of :data:`SIZES`.

    Args:
        cohorts: a folder of patients for each of :data:`SIZES`.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    peaks: dict[int, list[float]] = {size: [] for size in SIZES}
    for repeat in range(repeats):
        for size, measured in peaks.items():
            # a fresh process each time: memory that an earlier run has freed stays with its process
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                measured.append(pool.submit(train, cohorts[size], folder / f"{size}-{repeat}").result())
        advance()
    many, few = (median(peaks[size]) for size in SIZES)
    return [Ratio(NAME, many, few, LIMIT, "MB")]


def train(cohort: Path, folder: Path) -> float:
    """Train on a cohort in this process; returns the peak of its anonymous memory in megabytes."""
    import torch

    from benchmarks.bundle import open_bundle

    torch.set_num_threads(1)
    with watched() as peak, contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        open_bundle(
            "glioma_segmentation",
            "train",
            folder,
            dataset_dir=str(cohort),
            cache_dir=str(folder / "cache"),
            weights=str(folder / "model.pt"),
            epochs=1,
            batch_size=8,
            inference_batch_size=8,
            crop_size=[96, 96],
            samples_per_epoch=32,
        ).run()
    return peak[0]


@contextlib.contextmanager
def watched() -> Iterator[list[float]]:
    """A list whose one number is the peak of this process's anonymous memory so far, in megabytes."""
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
    """This process's anonymous memory in megabytes."""
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024 / 1e6
