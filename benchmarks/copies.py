"""The search for copies among 600 pictures, against decoding them.

Ours reads each picture, takes its fingerprint, proposes pairs by an index and lays them over each other, in one thread
and without the cache of `find_copies`. Bare is Pillow's decoding to grey and its resizing to the 128 pixels at which
pictures are compared, in one thread as well. Two of five phantoms are originals, the others copies of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.timing import Ratio, alternate
from common.cohorts import read_br35h
from common.copies.fingerprints import SIZE
from common.copies.search import search_copies

NAME = "search for copies"
LIMIT = 1.5


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds for all pictures.

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

    return [Ratio(NAME, *alternate(search, decode, repeats, advance), LIMIT)]
