"""Running deepbet (Fisch et al., Computers in Biology and Medicine 2024), which finds the brain in a head in seconds.

It is an optional dependency, ``pip install -e .[deepbet]``, and brings its weights along, where HD-BET fetches some. It
was trained on T1 volumes of healthy adults, such as those of IXI.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.cohorts.brains.upright import save_mask, to_upright
from common.errors import DatasetError, Problem
from common.files import writing

MODULE = "deepbet"
NOTHING_FOUND = (AssertionError, ValueError, IndexError)
"""What deepbet raises where its networks see no brain."""

logger = logging.getLogger(__name__)


def has_deepbet() -> bool:
    """Whether it is installed; it is not imported."""
    return find_spec(MODULE) is not None


def run_deepbet(wanted: Mapping[str, Path], folder: Path) -> None:
    """Mask all volumes.

    Args:
        wanted: where the mask of each volume goes, on the volume's own grid.
        folder: of the masks.

    Raises:
        DatasetError: it finds no brain in a volume, or fails; names all such volumes.
        OutputError: the cache cannot be written.
    """
    logger.info("deepbet extracts %d brains; this is done once", len(wanted))
    extraction = import_module(MODULE).BrainExtraction()
    problems = []
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for image, path in tqdm(wanted.items(), desc="Extracting brains", unit="volume", leave=False):
            upright = to_upright(image)
            try:
                mask = np.asarray(extraction.run(upright)[1].dataobj)
            except NOTHING_FOUND:
                problems.append(_problem("deepbet finds no brain in it", image))
            except RuntimeError as error:  # torch: no memory, or no kernel for this device
                problems.append(_problem(f"deepbet failed: {str(error).splitlines()[0]}", image))
            else:
                save_mask(mask, upright.affine, image, path)
    if problems:
        raise DatasetError(problems)


def _problem(what: str, image: str) -> Problem:
    hint = "Put a mask of your own beside it, use HD-BET (--brain_extraction hd-bet), or leave it out with --exclude."
    return Problem(what, image, hint)
