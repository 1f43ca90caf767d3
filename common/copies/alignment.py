"""Registration of two pictures: an affine fit from a first guess, and the correlation of the two afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

GRID = 4
"""Pixels between the points that the fit uses."""

BLURS = (2.5, 1.2)
"""Sigmas of the coarse and the fine fit, in pixels."""

WINDOWS = (1.0, 1.0, 1.5, 2.2, 3.5, np.inf, np.inf)
"""The coarse fit starts within the view and grows outwards: width of the weights of each step, in radii of the view."""

FINE_STEPS = 4
LEAST_OVERLAP = 0.45
"""Share of the smaller picture that the two must have in common."""

MOST_STRETCH = 1.6
"""Largest ratio of the two scales of an affine map: beyond it the fit has failed."""

LEAST_SCORE = 0.6
"""Pictures that correlate less than this after the coarse or the fine fit are rejected."""

RIM = 4
"""Pixels along the edges that do not count in the correlation."""

LEAST_POINTS = 60

CONVERGED = 0.02
"""A fit whose parameters change by less has converged."""

TILT = 8
"""Degrees by which a rotation may differ from a quarter turn before it counts as tilted."""


@dataclass(frozen=True)
class Alignment:
    """How a picture lies over another, and how well they agree there.

    Args:
        score: correlation of the two, locally normalised, where they overlap: 1 for the same picture.
        matrix: (2, 2) and
        shift: (2,): the point p = (y, x) of the first lies at ``matrix @ p + shift`` of the second.
        coverage: share of the first that the second shows, and of the second that the first shows.
    """

    score: float
    matrix: np.ndarray
    shift: np.ndarray
    coverage: tuple[float, float]

    def describe(self) -> str:
        """In words: what was done to the first picture to get the second."""
        flipped = np.linalg.det(self.matrix) < 0
        # Without the mirroring from top to bottom, the rest is a rotation, counter-clockwise on the screen (y points
        # down). Its angle is that of the rotation matrix nearest to the affine one in the least-squares sense.
        turn = self.matrix @ np.diag([-1.0, 1.0]) if flipped else self.matrix
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
        if min(self.coverage) < 0.95:
            words.append("cropped")
        return ", ".join(words) or "same position"


def align_pictures(
    first: np.ndarray, second: np.ndarray, guess: np.ndarray, centre: np.ndarray, radius: float
) -> Alignment | None:
    """Refine an affine map between two pictures by least squares, from a view outwards.

    The method is that of Lucas & Kanade, "An Iterative Image Registration Technique with an Application to Stereo
    Vision" (IJCAI 1981), in its general form for linear transformations: the map (A, h) minimises the sum of squares
    of second(A p + h) - first(p). Here the points have weights, and a coarse fit comes before the fine one.

    Args:
        first: normalised picture (y, x).
        second: the picture that it is laid over.
        guess: the affine map (2, 3) to start from.
        centre: of the view in the first picture, (y, x).
        radius: of that view in pixels.

    Returns:
        The map and the correlation; ``None`` where the two do not overlap enough or the fit fails.
    """
    points = np.mgrid[: first.shape[0] : GRID, : first.shape[1] : GRID].reshape(2, -1).astype(np.float32)
    distance = ((points - centre[:, None]) ** 2).sum(0)
    found = guess
    for blur, windows in zip(BLURS, (WINDOWS, (np.inf,) * FINE_STEPS), strict=True):
        one = ndimage.gaussian_filter(first, blur)[::GRID, ::GRID].ravel()
        two = ndimage.gaussian_filter(second, blur)
        slopes = np.gradient(two)
        for window in windows:
            weights = np.exp(-distance / (2 * (window * radius) ** 2))
            step = _fit_step(one, two, slopes, points, weights, found)
            if step is None or not _is_plausible(found + step):
                return None
            found = found + step
            if np.abs(step).max() < CONVERGED and window == np.inf:
                break
        fitted = _correlate(first, second, found, blur / 2)
        if fitted is None or fitted.score < LEAST_SCORE:
            return None
    return fitted


def _fit_step(
    one: np.ndarray,
    two: np.ndarray,
    slopes: list[np.ndarray],
    points: np.ndarray,
    weights: np.ndarray,
    found: np.ndarray,
) -> np.ndarray | None:
    """One Gauss-Newton step of the six parameters of the map, (2, 3).

    The normal equations are (J W J^T) step = J W r, with the residuals r = first(p) - second(A p + h), the weights W,
    and in J the gradient of the second picture times the derivative of A p + h by the six parameters.
    """
    places = found[:, :2] @ points + found[:, 2:]
    inside = _inside(places, two.shape) & (weights > 1e-3)
    if inside.sum() < LEAST_POINTS:
        return None
    places = places[:, inside]
    value, down, right = (ndimage.map_coordinates(array, places, order=1) for array in (two, *slopes))
    rows, columns = points[:, inside]
    jacobian = np.stack([rows * down, columns * down, down, rows * right, columns * right, right])
    weighted = jacobian * weights[inside]
    normal = weighted @ jacobian.T
    normal[np.diag_indices(6)] *= 1 + 1e-4  # a little damping, as Marquardt does
    try:
        return np.linalg.solve(normal, weighted @ (one[inside] - value)).reshape(2, 3)
    except np.linalg.LinAlgError:
        return None


def _correlate(first: np.ndarray, second: np.ndarray, found: np.ndarray, blur: float) -> Alignment | None:
    """Correlate the two where they overlap, without the rim: there the local mean depends on what was cut off."""
    points = np.mgrid[RIM : first.shape[0] - RIM : 2, RIM : first.shape[1] - RIM : 2].reshape(2, -1)
    if not points.size:
        return None
    places = found[:, :2] @ points + found[:, 2:]
    inside = _inside(places, second.shape, RIM)
    if inside.sum() < LEAST_POINTS:
        return None
    back = np.linalg.inv(found[:, :2])
    inverse = np.column_stack([back, -back @ found[:, 2]])
    coverage = _cover(first.shape, second.shape, found), _cover(second.shape, first.shape, inverse)
    if max(coverage) < LEAST_OVERLAP:
        return None
    one = _keep_detail(first, blur)[RIM:-RIM:2, RIM:-RIM:2].ravel()[inside]
    two = ndimage.map_coordinates(_keep_detail(second, blur), places[:, inside], order=1)
    one, two = one - one.mean(), two - two.mean()
    score = (one @ two) / max(np.sqrt((one @ one) * (two @ two)), 1e-9)
    return Alignment(float(score), found[:, :2], found[:, 2], coverage)


def _cover(shape: tuple[int, ...], other: tuple[int, ...], found: np.ndarray) -> float:
    """The share of a picture that lies within the other, or at most two pixels beyond it."""
    points = np.mgrid[: shape[0] : GRID, : shape[1] : GRID].reshape(2, -1)
    return float(_inside(found[:, :2] @ points + found[:, 2:], other, -2).mean())


def _keep_detail(picture: np.ndarray, blur: float) -> np.ndarray:
    """Details of one size: neighbouring slices share their outlines, but not these."""
    return ndimage.gaussian_filter(picture, blur) - ndimage.gaussian_filter(picture, 4 * blur)


def _inside(places: np.ndarray, shape: tuple[int, ...], rim: int = 0) -> np.ndarray:
    limits = np.array(shape)[:, None] - 1 - rim
    return np.asarray(((places >= rim) & (places <= limits)).all(axis=0))


def _is_plausible(found: np.ndarray) -> bool:
    large, small = np.linalg.svd(found[:, :2], compute_uv=False)
    return bool(np.isfinite(large) and small > 0.25 and large < 4 and large / small < MOST_STRETCH)
