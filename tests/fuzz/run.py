"""``make fuzz``: read thousands of broken and odd inputs, and count what must not happen.

python -m tests.fuzz.run --inputs 10000 --minutes 60
python -m tests.fuzz.run --show nifti 17     makes and reads one input here, and leaves it in the folder

Interrupted, it goes on where it stopped; inputs that ended in a fault are tried again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.process import Process
from tests.fuzz.report import FAULTS, Results, describe

Task = tuple[str, int]


def main(argv: list[str] | None = None) -> int:
    arguments = _parse(argv)
    if arguments.show:
        return _show(arguments.folder / "shown", arguments.seed, arguments.show[0], int(arguments.show[1]))
    from tests.fuzz.readers import NAMES

    names = arguments.readers or list(NAMES)
    results = Results(arguments.folder, arguments.seed)
    tasks = [task for task in plan(names, arguments.inputs) if task not in results.done]
    deadline = time.monotonic() + 60 * arguments.minutes
    print(f"{len(tasks)} inputs to read; results go to {arguments.folder}", flush=True)
    left = try_all(tasks, results, arguments.seed, deadline, arguments.workers)
    print(describe(results, names))
    if left:
        print(f"{left} inputs are left: the time is over. The same command goes on with them.")
    return 1 if results.faults or left else 0


def plan(names: list[str], inputs: int) -> list[Task]:
    """The inputs of all readers, the first of each before the second."""
    each, more = divmod(inputs, len(names))
    return [
        (name, number)
        for number in range(each + 1)
        for place, name in enumerate(names)
        if number < each + (place < more)
    ]


def try_all(tasks: list[Task], results: Results, seed: int, deadline: float, workers: int = 1) -> int:
    """Try inputs until they are done or the time is over; returns how many are left."""
    from concurrent.futures import ThreadPoolExecutor

    waiting: Iterator[Task] = iter(tasks)
    done = 0

    def work(worker: int) -> None:
        nonlocal done
        process = Process(results.folder / f"worker{worker}", seed, results.coverage)
        try:
            while time.monotonic() < deadline and (task := next(waiting, None)):
                results.add(process.try_input(*task))
                done += 1
        finally:
            process.stop()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return len(tasks) - done


def _show(folder: Path, seed: int, name: str, number: int) -> int:
    from tests.fuzz.readers import READERS
    from tests.fuzz.worker import Watch

    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()  # each input is tried with another working directory
    tempfile.tempdir = str(folder / "tmp")
    with (folder / "noise.txt").open("w+b") as noise:
        found: dict[str, Any] = Watch(folder, noise).try_input(READERS[name], seed, number)
    told = found.pop("told")
    print(json.dumps(found), told, f"The input is in {folder / 'in'}", sep="\n")
    return int(found["outcome"] in FAULTS)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000, help="of all readers together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same inputs (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="the most that it takes (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--readers", nargs="+", help="only these (default: all)")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="of the results (default: %(default)s)")
    parser.add_argument("--show", nargs=2, metavar=("READER", "NUMBER"), help="make and read one input")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
