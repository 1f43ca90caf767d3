"""Which pictures may be copies of each other: found by their views, screened before the costly fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common.copies.fingerprints import ANGLES, RINGS, SIZE, Fingerprint, describe_views
from common.copies.view_index import find_similar_views

NEIGHBOURS = 8
"""Views that each view is compared with."""

LEAST_VIEW_SCORE = 0.7
LEAST_COARSE_SCORE = 0.35
"""Correlation that the views, and the whole pictures at a low resolution, must have for a pair to be fitted."""

GUESSES = 2
"""Maps that are tried for a pair, the most promising first."""

COARSE = 4
"""Pixels between the points that the screening uses."""

BATCH = 4096


@dataclass(frozen=True)
class Candidate:
    """Two pictures that may be copies.

    Args:
        first: index of a picture.
        second: index of a later one.
        score: how well the two agree at a low resolution.
        guesses: for each way to lay the first over the second: the map (2, 3), the centre (2,) of the view in the
            first that it comes from, and the radius of that view.
    """

    first: int
    second: int
    score: float
    guesses: tuple[tuple[np.ndarray, np.ndarray, float], ...]


@dataclass(frozen=True)
class _Views:
    """All views of all pictures, one below the other."""

    owner: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    polar: np.ndarray


def find_candidates(fingerprints: Sequence[Fingerprint], workers: int = 1) -> list[Candidate]:
    """Pairs of pictures with similar views, the most promising first."""
    views = _Views(
        np.repeat(np.arange(len(fingerprints)), [len(fingerprint.polar) for fingerprint in fingerprints]),
        np.concatenate([fingerprint.centres for fingerprint in fingerprints]),
        np.concatenate([fingerprint.radii for fingerprint in fingerprints]),
        np.concatenate([fingerprint.polar for fingerprint in fingerprints]),
    )
    first, second = _match_views(views, workers)
    small = np.stack([fingerprint.picture[::2, ::2] for fingerprint in fingerprints])
    shapes = np.array([fingerprint.shape for fingerprint in fingerprints])
    parts = [_screen(views, small, shapes, *batch) for batch in _batches(first, second)]
    return _gather(views, *(np.concatenate(part) for part in zip(*parts, strict=True))) if parts else []


def _match_views(views: _Views, workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of similar views of two pictures, each once, as two lists of indices."""
    descriptors = np.concatenate([describe_views(polar) for (polar,) in _batches(views.polar)])
    similar = find_similar_views(descriptors, NEIGHBOURS, workers)
    first = np.repeat(np.arange(len(similar)), similar.shape[1])
    second = similar.ravel()
    other = (second >= 0) & (views.owner[first] != views.owner[second])
    pairs = np.sort(np.column_stack([first[other], second[other]]), axis=1)  # owners ascend with the views
    pairs = np.unique(pairs, axis=0)
    return pairs[:, 0], pairs[:, 1]


def _screen(
    views: _Views, small: np.ndarray, shapes: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Keep the pairs of views that agree, and whose pictures agree as well: views, maps (n, 2, 3) and scores."""
    score, turn, mirrored = correlate_views(_float(views.polar[first]), _float(views.polar[second]))
    kept = score > LEAST_VIEW_SCORE
    first, second = first[kept], second[kept]
    centres = views.centres[first], views.centres[second]
    maps = guess_maps(centres, (views.radii[first], views.radii[second]), turn[kept], mirrored[kept])
    coarse = _correlate_coarsely(small, shapes, views.owner[first], views.owner[second], maps)
    kept = coarse > LEAST_COARSE_SCORE
    return first[kept], second[kept], maps[kept], coarse[kept]


def _correlate_coarsely(
    small: np.ndarray, shapes: np.ndarray, first: np.ndarray, second: np.ndarray, maps: np.ndarray
) -> np.ndarray:
    """Correlation (n,) of pictures of half the size where ``maps`` lays them over each other; -1 for no overlap."""
    rows, columns = np.mgrid[COARSE // 2 : SIZE : COARSE, COARSE // 2 : SIZE : COARSE].reshape(2, -1)
    points = np.stack([rows, columns]).astype(np.float32)
    maps = maps.astype(np.float32)
    places = np.rint(maps[:, :, :2] @ points + maps[:, :, 2:]).astype(np.int32)
    own, other = shapes[first], shapes[second]
    inside = ((places >= 0) & (places < other[:, :, None])).all(1) & (points[None] < own[:, :, None]).all(1)
    places = places.clip(0, SIZE - 1) // 2
    one = _float(small[first][:, rows // 2, columns // 2]) * inside
    two = _float(small[second[:, None], places[:, 0], places[:, 1]]) * inside
    count = np.maximum(inside.sum(1, keepdims=True), 1)
    one = (one - one.sum(1, keepdims=True) / count) * inside
    two = (two - two.sum(1, keepdims=True) / count) * inside
    score = (one * two).sum(1) / np.sqrt((one**2).sum(1) * (two**2).sum(1) + 1e-6)
    enough = inside.sum(1) > 0.15 * len(rows)
    return np.where(enough, score, -1.0)


def _gather(
    views: _Views, first: np.ndarray, second: np.ndarray, maps: np.ndarray, scores: np.ndarray
) -> list[Candidate]:
    """One candidate for each pair of pictures, with its best guesses."""
    guesses: dict[tuple[int, int], list[int]] = {}
    for index in np.argsort(-scores, kind="stable"):
        pair = int(views.owner[first[index]]), int(views.owner[second[index]])
        found = guesses.setdefault(pair, [])
        if len(found) < GUESSES:
            found.append(int(index))
    return [
        Candidate(
            *pair,
            float(scores[found[0]]),
            tuple((maps[i], views.centres[first[i]], float(views.radii[first[i]].mean())) for i in found),
        )
        for pair, found in guesses.items()
    ]


def _batches(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    for start in range(0, len(arrays[0]), BATCH):
        yield tuple(array[start : start + BATCH] for array in arrays)


def _float(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


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
    size = np.sqrt((one**2).sum((1, 2)) * (two**2).sum((1, 2)))
    one, two = np.fft.rfft(one), np.fft.rfft(two)
    spectra = np.stack([(one.conj() * two).sum(1), (one * two).sum(1)], axis=1)
    match = np.fft.irfft(spectra, ANGLES).reshape(len(first), -1)
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
