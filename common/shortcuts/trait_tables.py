"""The traits of training and test patients as numbers, for a baseline that sees no tumour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from common.records import Record
from common.shortcuts.classifier import encode
from common.shortcuts.traits import OF_PATIENTS, find_traits


def trait_tables(
    train: Sequence[Record], test: Sequence[Record], target: str, voxels: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """What the probe looks at, but for which values were recorded: that is a baseline of its own.

    Args:
        train: records of the training side.
        test: records of the judged side.
        target: the label's key.
        voxels: measure the prepared volumes (``cached``) as well.

    Returns:
        Categories as 0 and 1, numbers standardised, (train, n) and (test, n); n is 0 where no trait differs between
        training patients. The training side alone is looked at for both, so that a patient's row does not depend on who
        else is judged. No label is used.

    Raises:
        DatasetError: an image's header cannot be read.
    """
    if not train:
        return np.empty((0, 0)), np.empty((len(test), 0))
    traits = find_traits([*train, *test], target, voxels=voxels)
    tables = [encode(table, len(train)) for name, table in traits.items() if name not in OF_PATIENTS]
    together = np.hstack([np.empty((len(train) + len(test), 0)), *tables])
    known, unseen = together[: len(train)], together[len(train) :]
    differs = np.ptp(known, axis=0) > 0
    return known[:, differs], unseen[:, differs]
