"""Running HD-BET (Isensee et al., Hum Brain Mapp 2019, 40:4952), which finds the brain in a head, by its command.

It is an optional dependency, ``pip install -e .[hd-bet]``.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib

from common.cohorts.brains.upright import save_mask, to_upright
from common.commands import run_to_end
from common.errors import DatasetError, Problem
from common.files import writing
from common.formats.volumes import read_volume

COMMAND = "hd-bet"
LAST_LINES = 5

logger = logging.getLogger(__name__)


def find_hd_bet() -> str | None:
    """HD-BET's command, beside this Python or on the path; ``None`` where it is not installed."""
    return shutil.which(COMMAND, path=str(Path(sys.executable).parent)) or shutil.which(COMMAND)


def run_hd_bet(command: str, wanted: Mapping[str, Path], folder: Path) -> None:
    """Let HD-BET mask all volumes in one run, since it is slow to start.

    It needs ``.nii.gz`` files in the orientation of the MNI brain, so it gets copies, and its masks are reoriented.

    Args:
        command: see :func:`find_hd_bet`.
        wanted: where the mask of each volume goes, on the volume's own grid.
        folder: for the copies, which are removed.

    Raises:
        DatasetError: HD-BET failed, with the last lines that it wrote.
        OutputError: the cache cannot be written.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    logger.info("HD-BET extracts %d brains on the %s; this is done once", len(wanted), device.upper())
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _mask_all(command, wanted, folder, device)


def _mask_all(command: str, wanted: Mapping[str, Path], folder: Path, device: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".hd-bet-") as temporary:
        given, found = Path(temporary, "heads"), Path(temporary, "brains")
        given.mkdir()
        names = {image: f"{number:05d}" for number, image in enumerate(wanted)}
        for image, name in names.items():
            nib.save(to_upright(image), given / f"{name}.nii.gz")
        words = [command, "-i", str(given), "-o", str(found), "-device", device, "--save_bet_mask", "--no_bet_image"]
        _call([*words, *(["--disable_tta"] if device == "cpu" else [])], len(wanted), folder)
        masks = {image: found / f"{name}_bet.nii.gz" for image, name in names.items()}
        absent = [image for image, mask in masks.items() if not mask.is_file()]
        if absent:
            hint = "Put masks of your own beside these volumes, or leave them out with --exclude."
            raise DatasetError(Problem("HD-BET wrote no mask", image, hint) for image in absent)
        for image, mask in masks.items():
            upright = read_volume(mask)
            save_mask(upright.array, upright.affine, image, wanted[image])


def _call(words: Sequence[str], count: int, folder: Path) -> None:
    done = run_to_end(words, capture_output=True, text=True)
    if done.returncode:
        last_lines = " / ".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        what = f"HD-BET failed ({count} to mask, exit status {done.returncode}): {last_lines}"
        raise DatasetError(Problem(what, folder, "Try hd-bet on one of them by hand, or put masks beside the volumes."))
