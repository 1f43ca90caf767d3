"""The background of a patient's volumes, which every view expects to be zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from common.errors import DatasetError, Problem
from common.formats.background import count_inner_faults, find_background, zero_background


def with_zero_background(channels: Sequence[np.ndarray], subject: str) -> list[np.ndarray]:
    """A patient's volumes with their background at zero.

    Args:
        channels: one volume (x, y, z) per modality, as stored.
        subject: name of the patient, for messages.

    Returns:
        The same arrays, but for those that store another value, or NaN, as background.

    Raises:
        DatasetError: a volume has no background, as where it shows the skull amid noise, or NaN within the head.
    """
    problems = []
    for index, channel in enumerate(channels, 1):
        where = f"{subject}, image {index} of {len(channels)}"
        if faults := count_inner_faults(channel):
            hint = "Replace the file by an intact one."
            problems.append(Problem(f"{faults} of its voxels are infinite, or NaN within the head", where, hint))
        elif find_background(channel) is None:
            what = "no single value fills its border, so brain and background cannot be told apart"
            problems.append(Problem(what, where, "Pass images without the skull, with one value around the brain."))
    if problems:
        raise DatasetError(problems)
    return [zero_background(channel) for channel in channels]
