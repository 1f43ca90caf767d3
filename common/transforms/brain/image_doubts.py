"""Images that may not be what they are listed as: a mask among them, or another patient's brain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from common.errors import list_some
from common.records import scan_of
from common.transforms.cases import Case

MOST_MASK_VALUES = 5
"""Background and four labels."""

LEAST_SHARED = 0.98
"""Of the smaller of two brains. Within patients of BraTS 2018 at least 0.994 is shared, also where a field of view was
cut; between them .88 to 1, in 53 of 66 pairs less than this."""

SAMPLE = 100_000
MOST_LISTED = 5


def doubts_of(image: np.ndarray, modalities: Sequence[str]) -> list[str]:
    """What speaks against the modalities of a patient.

    Args:
        image: (z, channel, y, x), prepared: background is 0.
        modalities: of the channels.

    Returns:
        A phrase for each that has as few values as a mask, and one for the two whose brains differ most.
    """
    step = max(1, image[:, 0].size // SAMPLE)
    counts = [np.unique(image[:, channel].ravel()[::step]).size for channel in range(len(modalities))]
    few = {channel: count for channel, count in enumerate(counts) if count <= MOST_MASK_VALUES}
    told = [f"{modalities[channel]} holds few values ({count}), as a mask does" for channel, count in few.items()]
    pairs = combinations([channel for channel in range(len(modalities)) if channel not in few], 2)
    shares = {pair: _shared(image[:, pair[0]], image[:, pair[1]]) for pair in pairs}
    furthest = min(shares, key=lambda pair: shares[pair], default=None)
    if furthest and shares[furthest] < LEAST_SHARED:
        one, other = (modalities[channel] for channel in furthest)
        told.append(f"{one} and {other} show the brain in other places ({shares[furthest]:.0%} in common)")
    return told


def image_doubts(cases: Iterable[Case]) -> list[str]:
    """A sentence on the images of a cohort that a person should look at; none where all is well.

    Args:
        cases: with ``image_doubts``.
    """
    told = [f"{scan_of(case)}: {'; '.join(doubts)}" for case in cases if (doubts := case.get("image_doubts"))]
    if not told:
        return []
    return [f"{list_some(told, MOST_LISTED, '; ')}. It may be another patient's image, not registered, or a mask."]


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """Voxels that two brains have in common, as a share of the smaller one."""
    brains = one != 0, other != 0
    return float((brains[0] & brains[1]).sum() / max(1, min(brain.sum() for brain in brains)))
