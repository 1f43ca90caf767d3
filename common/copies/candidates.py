"""Which pictures may be copies of each other: found by their views, screened before the costly fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from common.copies.alignment import Pairs, Pictures, masked_correlation
from common.copies.fingerprints import ANGLES, RINGS, SIZE, Fingerprint, describe_views
from common.copies.sampling import is_inside
from common.copies.view_index import find_similar_views

NEIGHBOURS = 5
"""Views that each view is compared with."""

LEAST_VIEW_SCORE = 0.7
LEAST_COARSE_SCORE = 0.35
LEAST_SUM = 1.25
"""Correlation that the views, the whole pictures at few points, and both together must have for a pair to be fitted."""

COARSE = 6
"""Pixels between the points that the screening uses."""

LEAST_COARSE_OVERLAP = 0.15
"""Share of these points that lie on both pictures."""

BATCH = 128
"""Pairs, or views, that are handled at once: so few that the processor's cache holds them."""


@dataclass(frozen=True)
class Views:
    """All views of all pictures, one below the other.

    Args:
        owner: (n,) index of the picture, ascending.
        centres: (n, 2) of the view, (y, x).
        radii: (n, 2) its half axes.
        polar: int8 (n, RINGS, ANGLES).
        whole: (n,) whether it is the whole frame.
    """

    owner: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    polar: np.ndarray
    whole: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """Pairs of views that may show the same.

    Args:
        first: (n,) a view.
        second: (n,) one of a later picture.
        near: (n,) how alike they are, the more the higher.
    """

    first: np.ndarray
    second: np.ndarray
    near: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, chosen: np.ndarray | slice) -> Candidates:
        return Candidates(self.first[chosen], self.second[chosen], self.near[chosen])


@dataclass(frozen=True)
class Guesses:
    """Maps that may lay a picture over another.

    Args:
        pairs: of pictures, with the maps.
        scores: (n,) how well the two agree at a low resolution.
        centres: (n, 2) of the view in the first that it comes from.
        radii: (n,) of that view.
    """

    pairs: Pairs
    scores: np.ndarray
    centres: np.ndarray
    radii: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: np.ndarray | slice) -> Guesses:
        return Guesses(self.pairs[chosen], self.scores[chosen], self.centres[chosen], self.radii[chosen])


def join_candidates(parts: Sequence[Candidates]) -> Candidates:
    """One below the other."""
    names = [field.name for field in fields(Candidates)]
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def list_views(fingerprints: Sequence[Fingerprint]) -> Views:
    """The views of all pictures."""
    owner = np.repeat(np.arange(len(fingerprints)), [len(fingerprint.polar) for fingerprint in fingerprints])
    return Views(
        owner,
        np.concatenate([fingerprint.centres for fingerprint in fingerprints]).astype(np.float32),
        np.concatenate([fingerprint.radii for fingerprint in fingerprints]).astype(np.float32),
        np.concatenate([fingerprint.polar for fingerprint in fingerprints]),
        np.diff(owner, prepend=-1) > 0,
    )


def match_views(views: Views, workers: int = 1) -> Candidates:
    """Pairs of similar views of two pictures, each once, the most similar first."""
    batches = range(0, len(views.polar), BATCH)
    descriptors = np.concatenate([describe_views(views.polar[start : start + BATCH]) for start in batches])
    similar, distances = find_similar_views(descriptors, NEIGHBOURS, workers)
    first, second = np.repeat(np.arange(len(similar)), similar.shape[1]), similar.ravel()
    other = (second >= 0) & (views.owner[first] != views.owner[second])
    first, second, near = first[other], second[other], -distances.ravel()[other]
    low, high = np.minimum(first, second), np.maximum(first, second)  # owners ascend with the views
    _, once = np.unique(low * len(views.owner) + high, return_index=True)
    once = once[np.argsort(-near[once], kind="stable")]
    return Candidates(low[once], high[once], near[once])


def guess(pictures: Pictures, views: Views, candidates: Candidates) -> Guesses:
    """Those of the candidates whose views agree, and whose pictures agree as well."""
    batches = range(0, max(len(candidates), 1), BATCH)
    parts = [_guess_some(pictures, views, candidates[slice(start, start + BATCH)]) for start in batches]
    first, second, maps, scores, centres, radii = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Guesses(Pairs(first, second, maps), scores, centres, radii)


def _guess_some(pictures: Pictures, views: Views, candidates: Candidates) -> tuple[np.ndarray, ...]:
    agreement, turn, mirrored = correlate_views(views.polar[candidates.first], views.polar[candidates.second])
    kept = agreement > LEAST_VIEW_SCORE
    first, second = candidates.first[kept], candidates.second[kept]
    centres, radii = ((values[first], values[second]) for values in (views.centres, views.radii))
    pairs = Pairs(views.owner[first], views.owner[second], guess_maps(centres, radii, turn[kept], mirrored[kept]))
    coarse = _correlate_coarsely(pictures, pairs)
    kept = (coarse > LEAST_COARSE_SCORE) & (coarse + agreement[kept] > LEAST_SUM)
    columns = pairs.first, pairs.second, pairs.maps, coarse, centres[0], radii[0].mean(1)
    return tuple(column[kept] for column in columns)


def _correlate_coarsely(pictures: Pictures, pairs: Pairs) -> np.ndarray:
    """Correlation (n,) of pictures at few points where the maps lay them over each other; -1 for no overlap."""
    points = np.mgrid[COARSE // 2 : SIZE : COARSE, COARSE // 2 : SIZE : COARSE].reshape(2, -1)
    maps = pairs.maps.astype(np.float32)
    places = maps[:, :, :2] @ points.astype(np.float32) + maps[:, :, 2:]
    inside = is_inside(places, pictures.shapes[pairs.second])
    inside &= is_inside(np.broadcast_to(points, places.shape), pictures.shapes[pairs.first])
    nearest = (np.where(inside[:, None], places, 0) + 0.5).astype(np.int32)
    flat = pictures.values.reshape(len(pictures.values), -1)
    one = flat[pairs.first[:, None], points[0] * SIZE + points[1]]
    two = flat[pairs.second[:, None], nearest[:, 0] * SIZE + nearest[:, 1]]
    score = masked_correlation(one.astype(np.float32), two.astype(np.float32), inside)
    return np.where(inside.mean(1) > LEAST_COARSE_OVERLAP, score, -1.0)


def correlate_views(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn and mirror views until they agree best.

    Args:
        first: views (n, RINGS, ANGLES).
        second: the views to compare them with, one by one.

    Returns:
        The correlation (n,), the turn in radians (n,) and whether the first was mirrored before it (n,).
    """
    weights = np.sqrt(np.arange(RINGS, dtype=np.float32) + 0.5)[:, None]
    one, two = first * weights, second * weights
    size = np.sqrt(np.einsum("nra,nra->n", one, one) * np.einsum("nra,nra->n", two, two))
    one, two = np.fft.rfft(one), np.fft.rfft(two)
    spectra = np.stack([np.einsum("nrk,nrk->nk", part, two) for part in (one.conj(), one)], axis=1)
    match = np.fft.irfft(spectra, ANGLES).reshape(len(first), 2 * ANGLES)
    best = match.argmax(1)
    score = match[np.arange(len(match)), best] / np.maximum(size, 1e-9)
    return score, best % ANGLES * (2 * np.pi / ANGLES), best >= ANGLES


def guess_maps(
    centres: tuple[np.ndarray, np.ndarray], radii: tuple[np.ndarray, np.ndarray], turn: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """The affine maps (n, 2, 3) that lay the first views over the second.

    Args:
        centres: of the first and of the second views, (n, 2) each, as (y, x).
        radii: their half axes, (n, 2) each.
        turn: (n,) as :func:`correlate_views` returns it.
        mirrored: (n,) likewise.
    """
    cos, sin, sign = np.cos(turn), np.sin(turn), np.where(mirrored, -1.0, 1.0)
    rotation = np.stack([np.stack([sign * cos, sin], -1), np.stack([-sign * sin, cos], -1)], 1)
    matrix = radii[1][:, :, None] * rotation / radii[0][:, None, :]
    shift = centres[1][:, :, None] - matrix @ centres[0][:, :, None]
    return np.concatenate([matrix, shift], axis=2)
