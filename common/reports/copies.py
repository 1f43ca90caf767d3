"""The files that a run writes on copies in its data set, so that a person can check the groups and the split."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from common.copies.groups import CopyReport
from common.distributed import process_rank
from common.files import write_json
from common.reports.copy_pictures import draw_contact_sheet, draw_threshold_curve
from common.splits.manifest import SplitManifest

logger = logging.getLogger(__name__)


def write_copies(copies: CopyReport, split: SplitManifest, output_dir: str | os.PathLike[str]) -> None:
    """Write ``copies.csv`` (one line per image), ``copies.png`` (a contact sheet), ``copies_threshold.png`` and
    ``copies.json`` (counts) into the run folder, and say in the log how many test images have a copy in training.

    Only the first process of a distributed run writes.

    Args:
        copies: of the cohort.
        split: of the run, over groups or over images.
        output_dir: the run folder.

    Raises:
        OutputError: it cannot be written to.
    """
    if process_rank() > 0:
        return
    folder = Path(output_dir)
    sheet = draw_copies(copies, folder)
    counts = count_copies(copies, split)
    write_json(folder / "copies.json", {"threshold": copies.threshold, **counts})
    logger.info(
        "%d images in %d groups of copies; %d of %d test images have a copy in training. Look at %s",
        *(counts[key] for key in ("images", "groups", "tested_with_copy_in_training", "tested")),
        sheet,
    )


def draw_copies(copies: CopyReport, folder: str | os.PathLike[str]) -> Path:
    """Write ``copies.csv``, ``copies.png`` and ``copies_threshold.png``; see :func:`write_copies`.

    Returns:
        The contact sheet.

    Raises:
        OutputError: the folder cannot be written to.
    """
    place = Path(folder).expanduser()
    copies.to_csv(place / "copies.csv")
    draw_contact_sheet(copies, place / "copies.png")
    draw_threshold_curve(copies, place / "copies_threshold.png")
    return place / "copies.png"


def count_copies(copies: CopyReport, split: SplitManifest) -> Mapping[str, int]:
    """How many images are copies, and how many test images have a copy in training.

    Args:
        copies: of the cohort.
        split: of the run.

    Returns:
        ``images``, ``groups`` (an image without a copy is one), ``with_copy``, ``tested`` and
        ``tested_with_copy_in_training``.
    """
    train, test = set(split.known_as("train")), set(split.known_as("test"))
    trained_groups = {copies.group_of[image] for image in copies.images if image in train}
    tested = [image for image in copies.images if image in test]
    return {
        "images": len(copies.images),
        "groups": len(copies.groups),
        "with_copy": sum(len(group) for group in copies.groups if len(group) > 1),
        "tested": len(tested),
        "tested_with_copy_in_training": sum(copies.group_of[image] in trained_groups for image in tested),
    }
