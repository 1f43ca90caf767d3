"""Registration of pictures, many pairs at once: affine fits from first guesses, and how well the two then correlate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from common.copies.fingerprints import QUANTUM, SIZE
from common.copies.sampling import is_inside, sample
from common.copies.smoothing import shrink_all, smooth

BLURS = (2.5, 1.2)
"""Sigmas of the coarse and the fine fit, in pixels."""

WINDOWS = (1.0, 1.0, 1.5, 2.2, 3.5, np.inf, np.inf)
"""The coarse fit starts within the view and grows outwards: width of the weights of each step, in radii of the view."""

FINE_STEPS = 4
GRID = 4
"""Pixels between the points that a fit uses: of pictures of half the size in the coarse one."""

LEAST_OVERLAP = 0.45
"""Share of the smaller picture that the two must have in common."""

MOST_STRETCH = 1.6
"""Largest ratio of the two scales of an affine map: beyond it the fit has failed."""

LEAST_COARSE, LEAST_SCORE = 0.75, 0.6
"""Pictures that correlate less than this after the coarse or the fine fit are rejected."""

COARSE_DETAIL, FINE_DETAIL = (1.2, 5.0), 2.4
"""Details are what a Gaussian of the (second) sigma takes away: their size is what must agree."""

FINE_SHARE = 3 / 4
"""Of the fine details in the score of a pair that was fitted; the rest is of the larger ones, which a copy keeps when
it is pixelated and then sharpened."""

RIM = 4
"""Pixels along the edges that do not count in the correlation."""

SPACING = 3
"""Pixels between the points that are correlated."""

LEAST_SHARE = 0.05
"""Of the points, which the two must have in common to be fitted."""

LEAST_WEIGHT = 1e-3
"""Points of less weight do not count among those."""

CONVERGED = 0.02
"""A fit whose parameters change by less has converged."""

TILT = 8
"""Degrees by which a rotation may differ from a quarter turn before it counts as tilted."""


class Pictures:
    """All pictures of a cohort as they are compared.

    Args:
        values: int8 (n, SIZE, SIZE) in steps of 1/QUANTUM.
        shapes: (n, 2) height and width of each within it.
    """

    def __init__(self, values: np.ndarray, shapes: np.ndarray) -> None:
        self.values, self.shapes = values, shapes
        self.half_shapes = (shapes + 1) // 2
        self._halves = np.empty((2, len(values), SIZE // 2, SIZE // 2), np.float16)
        self._halved = np.zeros(len(values), bool)

    def smoothed(self, indices: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
        """The pictures under a Gaussian, float32 (m, SIZE, SIZE), each once, and which of them each index is."""
        unique, places = np.unique(indices, return_inverse=True)
        blurred = np.zeros((len(unique), SIZE, SIZE), np.float32)
        for place, index in enumerate(unique):
            height, width = self.shapes[index]
            blurred[place, :height, :width] = smooth(self.values[index, :height, :width].astype(np.float32), sigma)
        return blurred / QUANTUM, places

    def halves(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pictures at half the size, smoothed for the coarse fit, and their larger details, float32 (m, y, x) each.

        Most pictures are never asked for; those that are, are halved once.
        """
        for index in np.unique(indices[~self._halved[indices]]):
            exact = self.values[index].astype(np.float32) / QUANTUM
            blurred, fine, wide = shrink_all(exact, (SIZE // 2, SIZE // 2), (BLURS[0], *COARSE_DETAIL))
            self._halves[:, index] = blurred, fine - wide
            self._halved[index] = True
        blurred, details = (layer[indices].astype(np.float32) for layer in self._halves)
        return blurred, details


@dataclass(frozen=True)
class Pairs:
    """Pictures that lie over each other.

    Args:
        first: (n,) indices of pictures.
        second: (n,) likewise.
        maps: (n, 2, 3): the point p = (y, x) of the first lies at ``maps @ (y, x, 1)`` of the second.
    """

    first: np.ndarray
    second: np.ndarray
    maps: np.ndarray

    def __getitem__(self, chosen: np.ndarray | slice) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.maps[chosen])


def describe_map(found: np.ndarray, coverage: np.ndarray) -> str:
    """In words: what was done to a picture to get another.

    Args:
        found: the map (2, 3) of the first to the second.
        coverage: share of the first that the second shows, and of the second that the first shows.
    """
    matrix = found[:, :2]
    flipped = np.linalg.det(matrix) < 0
    # Without the mirroring from top to bottom, the rest is a rotation, counter-clockwise on the screen (y points
    # down). Its angle is that of the rotation matrix nearest to the affine one in the least-squares sense.
    turn = matrix @ np.diag([-1.0, 1.0]) if flipped else matrix
    angle = np.degrees(np.arctan2(turn[0, 1] - turn[1, 0], turn[0, 0] + turn[1, 1]))
    angle = -angle % 360
    quarter = round(angle / 90) * 90
    tilted = abs(angle - quarter) > TILT
    shown = round(angle) if tilted else quarter % 360
    if flipped and shown == 180:
        words = ["flipped left to right"]
    elif flipped and not shown:
        words = ["flipped top to bottom"]
    else:
        words = (["flipped"] if flipped else []) + ([f"rotated {shown}°"] if shown else [])
    if min(coverage) < 0.95:
        words.append("cropped")
    return ", ".join(words) or "same position"


def fit_maps(
    pictures: Pictures, guesses: Pairs, centres: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Refine affine maps between pictures by least squares, from a view outwards.

    The method is that of Lucas & Kanade, "An Iterative Image Registration Technique with an Application to Stereo
    Vision" (IJCAI 1981), in its general form for linear transformations: the map (A, h) minimises the sum of squares
    of second(A p + h) - first(p). Here the points have weights, and a coarse fit comes before the fine one.

    Args:
        pictures: of the cohort.
        guesses: pairs of them, with the maps to start from.
        centres: (n, 2) of the view in each first picture, (y, x).
        radii: (n,) of that view in pixels.

    Returns:
        The maps (n, 2, 3), the correlation (n,), -1 where the two do not overlap enough or the fit fails, and the
        coverage (n, 2); see :func:`correlate_details`.
    """
    maps = guesses.maps.astype(np.float32)
    scores, coverage = np.full(len(maps), -1.0), np.zeros((len(maps), 2))
    found, fitted = _fit_coarsely(pictures, guesses, centres, radii)
    left = np.flatnonzero(fitted)
    if len(left):
        pairs = Pairs(guesses.first, guesses.second, found)[left]
        maps[left], fitted = _fit_finely(pictures, pairs, centres[left], radii[left])
        left = left[fitted]
    if len(left):
        pairs = Pairs(guesses.first, guesses.second, maps)[left]
        fine, coverage[left] = correlate_details(pictures, pairs)
        scores[left] = FINE_SHARE * fine + (1 - FINE_SHARE) * _correlate_halves(pictures, pairs, _halved(pairs.maps))
    scores[scores < LEAST_SCORE] = -1.0
    return maps, scores, coverage


def _fit_coarsely(
    pictures: Pictures, pairs: Pairs, centres: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maps (n, 2, 3) fitted to pictures of half the size, and which of them agree there."""
    shapes = pictures.half_shapes[pairs.first], pictures.half_shapes[pairs.second]
    one, two = (pictures.halves(indices)[0] for indices in (pairs.first, pairs.second))
    maps, fitted = _descend((one, two), shapes, _halved(pairs.maps), (centres - 0.5) / 2, radii / 2, WINDOWS)
    return _doubled(maps), fitted & (_correlate_halves(pictures, pairs, maps) >= LEAST_COARSE)


def _correlate_halves(pictures: Pictures, pairs: Pairs, maps: np.ndarray) -> np.ndarray:
    """Correlation (n,) of the larger details, where ``maps`` lay pictures of half the size over each other."""
    one, two = (pictures.halves(indices)[1] for indices in (pairs.first, pairs.second))
    shapes = pictures.half_shapes[pairs.first], pictures.half_shapes[pairs.second]
    return _correlate((one, two), shapes, maps, RIM // 2, 2)[0]


def _fit_finely(
    pictures: Pictures, pairs: Pairs, centres: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    blurred, places = pictures.smoothed(np.concatenate([pairs.first, pairs.second]), BLURS[1])
    both = blurred[places[: len(pairs.first)]], blurred[places[len(pairs.first) :]]
    shapes = pictures.shapes[pairs.first], pictures.shapes[pairs.second]
    return _descend(both, shapes, pairs.maps, centres, radii, (np.inf,) * FINE_STEPS)


def _halved(maps: np.ndarray) -> np.ndarray:
    """Maps between pictures of half the size, whose point p is the point 2 p + 0.5 of the whole."""
    shift = (maps[:, :, 2] + 0.5 * maps[:, :, :2].sum(2) - 0.5) / 2
    return np.concatenate([maps[:, :, :2], shift[:, :, None]], axis=2).astype(np.float32)


def _doubled(maps: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_halved`."""
    shift = 2 * maps[:, :, 2] + 0.5 - 0.5 * maps[:, :, :2].sum(2)
    return np.concatenate([maps[:, :, :2], shift[:, :, None]], axis=2)


def _descend(
    pictures: tuple[np.ndarray, np.ndarray],
    shapes: tuple[np.ndarray, np.ndarray],
    maps: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
    windows: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of all pairs at one resolution: their maps, and which of them have not failed."""
    one, two = pictures
    points = _grid(one.shape[1], 0, GRID)
    own = is_inside(np.broadcast_to(points, (len(one), *points.shape)), shapes[0])
    distance = ((points - centres[:, :, None].astype(np.float32)) ** 2).sum(1)
    values = one[:, ::GRID, ::GRID].reshape(len(one), -1)
    slopes = np.stack([two, *np.gradient(two, axis=(1, 2))], axis=-1)
    maps, active, fitted = maps.astype(np.float32), np.arange(len(one)), np.ones(len(one), bool)
    for window in windows:
        spread = (2 * (window * radii[active, None]) ** 2).astype(np.float32)
        weights = own[active] * np.exp(-distance[active] / spread)
        places = maps[active, :, :2] @ points + maps[active, :, 2:]
        weights *= is_inside(places, shapes[1][active])
        step, failed = _fit_step(values[active], sample(slopes, shapes[1][active], places, active), points, weights)
        moved = maps[active] + step
        failed |= ~_is_plausible(moved)
        maps[active] = moved
        fitted[active[failed]] = False
        converged = (np.abs(step).max((1, 2)) < CONVERGED) & (window == np.inf)
        active = active[~(failed | converged)]
        if not len(active):
            break
    maps[~fitted] = np.eye(2, 3)
    return maps, fitted


def _fit_step(
    one: np.ndarray, two: np.ndarray, points: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One Gauss-Newton step of the six parameters of each map, (n, 2, 3), and which of them failed.

    The normal equations are (J W J^T) step = J W r, with the residuals r = first(p) - second(A p + h), the weights W,
    and in J the gradient of the second picture times the derivative of A p + h by the six parameters.

    Args:
        one: (n, points) the first picture there.
        two: (n, points, 3) the second at A p + h, and its slopes.
        points: (2, points).
        weights: (n, points).
    """
    value, down, right = two[..., 0], two[..., 1], two[..., 2]
    rows, columns = points
    jacobian = np.stack([rows * down, columns * down, down, rows * right, columns * right, right], axis=1)
    weighted = jacobian * weights[:, None]
    normal = (weighted @ jacobian.transpose(0, 2, 1)).astype(np.float64)
    diagonal = normal[:, np.arange(6), np.arange(6)]
    normal[:, np.arange(6), np.arange(6)] += 1e-4 * diagonal + 1e-6  # a little damping, as Marquardt does
    right_side = (weighted @ (one - value)[:, :, None]).astype(np.float64)
    step = np.linalg.solve(normal, right_side)[:, :, 0].reshape(-1, 2, 3)
    return step.astype(np.float32), (weights > LEAST_WEIGHT).mean(1) < LEAST_SHARE


def correlate_details(pictures: Pictures, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Correlate pictures where they overlap, without the rim: there the local mean depends on what was cut off.

    Neighbouring slices share their outlines, but not their details.

    Args:
        pictures: of the cohort.
        pairs: of them.

    Returns:
        Correlation (n,), locally normalised, 1 for the same picture and -1 where they overlap too little; and the
        coverage (n, 2): the share of the first that the second shows, and of the second that the first shows.
    """
    both = np.concatenate([pairs.first, pairs.second])
    blurred, places = pictures.smoothed(both, FINE_DETAIL)
    details = pictures.values[both].astype(np.float32) / QUANTUM - blurred[places]
    shapes = pictures.shapes[pairs.first], pictures.shapes[pairs.second]
    halves = details[: len(pairs.first)], details[len(pairs.first) :]
    return _correlate(halves, shapes, pairs.maps.astype(np.float32), RIM, SPACING)


def _correlate(
    details: tuple[np.ndarray, np.ndarray],
    shapes: tuple[np.ndarray, np.ndarray],
    maps: np.ndarray,
    rim: int,
    spacing: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The correlation and the coverage of :func:`correlate_details` at points that are ``spacing`` apart."""
    points = _grid(details[0].shape[1], rim, spacing)
    laid = maps[:, :, :2] @ points + maps[:, :, 2:]
    inside = is_inside(laid, shapes[1], rim) & is_inside(np.broadcast_to(points, laid.shape), shapes[0], rim)
    rows, columns = points.astype(int)
    two = sample(details[1], shapes[1], laid)
    coverage = _cover(*shapes, maps, details[0].shape[1])
    enough = (inside.mean(1) >= LEAST_SHARE) & (coverage.max(1) >= LEAST_OVERLAP)
    return np.where(enough, masked_correlation(details[0][:, rows, columns], two, inside), -1.0), coverage


def _grid(size: int, rim: int, spacing: int) -> np.ndarray:
    """Points (2, n) of a square."""
    return np.mgrid[rim : size - rim : spacing, rim : size - rim : spacing].reshape(2, -1).astype(np.float32)


def masked_correlation(one: np.ndarray, two: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Pearson's correlation (n,) of values (n, points) where ``inside``."""
    count = np.maximum(inside.sum(1, keepdims=True), 1)
    one, two = one * inside, two * inside
    one = (one - one.sum(1, keepdims=True) / count) * inside
    two = (two - two.sum(1, keepdims=True) / count) * inside
    product, first, second = (np.einsum("np,np->n", *pair) for pair in ((one, two), (one, one), (two, two)))
    return np.asarray(product / np.sqrt(np.maximum(first * second, 1e-12)))


def _cover(shapes: np.ndarray, others: np.ndarray, maps: np.ndarray, size: int) -> np.ndarray:
    """The shares (n, 2) of each picture that lie within the other, or at most two pixels beyond it."""
    back = np.linalg.inv(maps[:, :, :2])
    inverse = np.concatenate([back, -back @ maps[:, :, 2:]], axis=2)
    points = _grid(size, 0, GRID)
    shares = []
    for own, other, way in ((shapes, others, maps), (others, shapes, inverse)):
        exists = is_inside(np.broadcast_to(points, (len(maps), *points.shape)), own)
        shown = is_inside(way[:, :, :2] @ points + way[:, :, 2:], other, -2)
        shares.append((exists & shown).sum(1) / exists.sum(1))
    return np.stack(shares, axis=1)


def _is_plausible(maps: np.ndarray) -> np.ndarray:
    finite = np.isfinite(maps).all((1, 2))
    large, small = np.linalg.svd(np.where(finite[:, None, None], maps, 0)[:, :, :2], compute_uv=False).T
    return np.asarray(finite & (small > 0.25) & (large < 4) & (large < MOST_STRETCH * small))
