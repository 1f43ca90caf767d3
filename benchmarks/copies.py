"""The search for copies among 600 pictures, against decoding them, in seconds of the processor.

Ours reads each picture, takes its fingerprint, proposes pairs by an index and lays them over each other, in one thread
and without the cache of `find_copies`. Bare is Pillow's decoding to grey and its resizing to the 128 pixels at which
pictures are compared, in one thread as well. Two of five phantoms are originals, the others copies of them.

`python benchmarks/copies.py FOLDER ...` measures the same on folders of one's own, and writes them to the page.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

from benchmarks.table import replace_copies_section  # noqa: E402
from benchmarks.timing import Ratio, alternate  # noqa: E402
from common.cohorts import read_br35h  # noqa: E402
from common.cohorts.phantom_mark import is_phantom  # noqa: E402
from common.copies.fingerprints import SIZE  # noqa: E402
from common.copies.search import search_copies  # noqa: E402
from common.files import write_json, write_text  # noqa: E402

NAME = "search for copies"
LIMIT = 1.5
RESULTS = FOLDER / "copies.json"


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds of the processor for all pictures.

    Args:
        cohort: a folder of phantoms in the layout of Br35H.
        folder: is not used.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    records = read_br35h(cohort)

    def search() -> None:
        search_copies(records, workers=1)

    def decode() -> None:
        for record in records:
            with Image.open(record["image"]) as image:
                scale = SIZE / max(image.size)
                shape = round(image.width * scale), round(image.height * scale)
                np.asarray(image.convert("L").resize(shape, Image.Resampling.BILINEAR, reducing_gap=2))

    return [Ratio(NAME, *alternate(search, decode, repeats, advance, time.process_time), LIMIT)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="in the layout of Br35H, phantoms or real")
    parser.add_argument("--repeats", type=int, default=3, help="besides a first one (default: %(default)s)")
    arguments = parser.parse_args(argv)
    measured = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for folder in arguments.folders:
        (ratio,) = measure(folder, folder, arguments.repeats, lambda: None)
        records = read_br35h(folder)
        what = f"{len(records)} {'phantoms' if is_phantom(records[0]) else 'pictures'}"
        measured[what] = {"ours": round(ratio.ours, 2), "bare": round(ratio.bare, 2), "limit": LIMIT}
        print(f"{what}: {ratio.ours:.2f} s, bare {ratio.bare:.2f} s, ratio {ratio.value:.2f}", flush=True)
        write_json(RESULTS, measured)
    page = FOLDER / "README.md"
    write_text(page, replace_copies_section(page.read_text(encoding="utf-8"), measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
