"""Measure our targets for speed, as ratios to the bare work, and write benchmarks/README.md.

python benchmarks/run.py [--quick] [--only epoch start preparation inference copies memory volumes]

All parts take about half an hour on two cores; rows of parts that are not measured stay as they are. A target that is
missed is reported, and is no error: the exit code stays 0.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import io
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

if TYPE_CHECKING:
    from benchmarks.timing import Ratio

PARTS = ("epoch", "start", "preparation", "inference", "copies", "memory", "volumes")
REPEATS = {"epoch": 3, "start": 3, "preparation": 9, "inference": 5, "copies": 3, "memory": 3, "volumes": 1}
ROUNDS = {"epoch": 6, "start": 6, "preparation": 2, "inference": 2, "copies": 1, "memory": 1, "volumes": 3}
"""Ratios of a part, or networks, each of which is measured ``REPEATS`` times."""
OWN_PROCESSES = ("memory", "volumes")
"""Parts without a first round that is not counted."""
FULL_PATIENTS = 10
"""Enough that every fold's training side has both grades, and enough survival times for three classes."""
SMALL_SHAPE = (128, 128, 64)
ORIGINALS = 120
"""Pictures of each class of which the others are copies."""


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repeat; prints the table and writes no page")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these alone; the other rows of the page stay")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    from benchmarks.timing import THREADS

    os.environ["OMP_NUM_THREADS"] = str(THREADS)  # also for the processes that measure memory
    os.environ["MPLBACKEND"] = "Agg"
    import torch
    from tqdm import tqdm

    torch.set_num_threads(THREADS)
    parts = [part for part in PARTS if part in (arguments.only or PARTS)]
    repeats = {part: 1 if arguments.quick else REPEATS[part] for part in parts}
    total = sum(ROUNDS[part] * (count + (part not in OWN_PROCESSES)) for part, count in repeats.items())
    with tempfile.TemporaryDirectory() as folder, tqdm(total=total, unit="round", dynamic_ncols=True) as bar:
        ratios: dict[str, list[Ratio]] = {}
        for part in parts:
            bar.set_description(part)
            with silence():
                ratios[part] = measure(part, Path(folder), repeats[part], bar.update)
    report(ratios)
    if not arguments.quick:
        write_down(ratios)
    return 0


def measure(part: str, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Run one of :data:`PARTS` on phantoms, which are made in ``folder`` when they are first asked for.

    Args:
        part: one of :data:`PARTS`.
        folder: for phantoms and files of the benchmark.
        repeats: how often each part is timed.
        advance: called after each repeat, for the progress bar.
    """
    from common.phantoms.layouts.br35h import make_br35h_phantoms
    from common.phantoms.layouts.brats2020 import make_brats_phantoms

    workspace = folder / part
    workspace.mkdir()
    module = importlib.import_module(f"benchmarks.{part}")
    if part == "volumes":
        return module.measure(repeats, advance)
    if part == "memory":
        cohorts = {size: workspace / f"{size} patients" for size in module.SIZES}
        for size, cohort in cohorts.items():
            make_brats_phantoms(cohort, patients=size, shape=SMALL_SHAPE)
        return module.measure(cohorts, workspace, repeats, advance)
    if part == "copies":
        return module.measure(make_br35h_phantoms(workspace / "pictures", ORIGINALS), workspace, repeats, advance)
    cohort = folder / "phantoms"
    if not cohort.exists():
        make_brats_phantoms(cohort, patients=FULL_PATIENTS)
    return module.measure(cohort, workspace, repeats, advance)


def read_results(name: str) -> dict[str, Any]:
    """What was measured last: ``ratios``, or by ``gpu.py`` or ``copies.py``."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def report(ratios: Mapping[str, Sequence[Ratio]]) -> None:
    """Print the table of the ratios by part."""
    from benchmarks.table import verdict, write_table

    rows = list(itertools.chain.from_iterable(ratios.values()))
    print(f"{write_table(rows)}\n\n{verdict(rows)}")


def write_down(ratios: Mapping[str, Sequence[Ratio]]) -> None:
    """Keep the ratios of these parts in ``ratios.json``, and write the page from all that it holds."""
    from benchmarks.table import write_page
    from benchmarks.timing import Ratio
    from common.files import write_json, write_text

    today = datetime.date.today().isoformat()
    kept = read_results("ratios") | {
        part: [{**asdict(ratio), "measured": today} for ratio in rows] for part, rows in ratios.items()
    }
    write_json(FOLDER / "ratios.json", kept)
    parts = [part for part in PARTS if part in kept]
    rows = [Ratio(**row) for part in parts for row in kept[part]]
    modules = [importlib.import_module(f"benchmarks.{part}") for part in parts]
    explanations = {module.NAME: (module.__doc__ or "").strip() for module in modules}
    page = FOLDER / "README.md"
    write_text(page, write_page(rows, explanations, "make bench", read_results("gpu"), read_results("copies")))
    print(f"Written to {page.relative_to(FOLDER.parent)}")


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Suppress the bundle's output while it is measured; our own bar was made before."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


if __name__ == "__main__":
    raise SystemExit(main())
