"""Comparing the pairs of pictures that an index proposes, only as many as are needed to find the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from common.copies.alignment import Alignment, align_pictures
from common.copies.candidates import Candidate, find_candidates
from common.copies.fingerprints import QUANTUM, Fingerprint
from common.copies.groups import join_pairs

SURE = 0.95
"""Pictures that pairs of this score have already joined are not compared again."""

ROUNDS = 6
"""Times that every group is compared with the one most like it, before the remaining pairs are compared."""

TRIES = 1
"""Pairs of images of two groups that are compared in the end, before the groups count as different."""

CHUNK = 25

Item = TypeVar("Item")


def compare_all(
    fingerprints: Sequence[Fingerprint], known: Iterable[tuple[int, int]], pool: Parallel, workers: int, progress: bool
) -> dict[tuple[int, int], tuple[float, str]]:
    """Lay pictures over each other until it is known which belong together.

    Args:
        fingerprints: of all images.
        known: pairs that are known to be copies, by their indices.
        pool: of processes.
        workers: how many.
        progress: show a progress bar.

    Returns:
        Score and transform of each compared pair of indices, without those that the fit rejected.
    """
    candidates = sorted(find_candidates(fingerprints, workers), key=lambda found: -found.score)
    pictures = np.stack([fingerprint.picture for fingerprint in fingerprints])
    shapes = [fingerprint.shape for fingerprint in fingerprints]
    sure = list(known)
    compared: dict[tuple[int, int], tuple[float, str]] = {}
    with tqdm(total=len(candidates), desc="Comparing images", leave=False, unit="pair", disable=not progress) as bar:
        for turn in range(ROUNDS + 1):
            group = join_pairs(sure, len(fingerprints))
            chosen, candidates = _choose(candidates, group, last=turn == ROUNDS)
            for found in pool(delayed(_compare_some)(pictures, shapes, chunk) for chunk in _chunks(chosen, CHUNK)):
                compared.update({pair: (best.score, best.describe()) for pair, best in found})
                sure += [pair for pair, best in found if best.score >= SURE]
            bar.update(bar.total - len(candidates) - bar.n)
    return compared


def _choose(candidates: Sequence[Candidate], group: np.ndarray, last: bool) -> tuple[list[Candidate], list[Candidate]]:
    """The pairs to compare now, and those to keep for later; pairs that are joined already are dropped.

    As in Boruvka's minimum spanning tree, each group chooses its best candidate to another group: n images are joined
    by little more than n comparisons, not by one for each of their pairs.

    Args:
        candidates: the best first.
        group: of every image.
        last: leave nothing for later, but compare the ``TRIES`` best candidates of every two groups.
    """
    left = [candidate for candidate in candidates if group[candidate.first] != group[candidate.second]]
    if not left:
        return [], []
    ends = np.array([(group[candidate.first], group[candidate.second]) for candidate in left])
    if last:
        tries = Counter[tuple[int, int]]()
        chosen = set()
        for index, (one, two) in enumerate(np.sort(ends, axis=1).tolist()):
            tries[one, two] += 1
            if tries[one, two] <= TRIES:
                chosen.add(index)
    else:
        chosen = set((np.unique(ends.ravel(), return_index=True)[1] // 2).tolist())
    later = [] if last else [candidate for index, candidate in enumerate(left) if index not in chosen]
    return [candidate for index, candidate in enumerate(left) if index in chosen], later


def _compare_some(
    pictures: np.ndarray, shapes: Sequence[tuple[int, int]], candidates: Sequence[Candidate]
) -> list[tuple[tuple[int, int], Alignment]]:
    """Runs in a process of its own, which reads ``pictures`` from shared memory."""
    found = []
    for candidate in candidates:
        one, two = (_unpack(pictures[index], shapes[index]) for index in (candidate.first, candidate.second))
        best = None
        for guess in candidate.guesses:
            fit = align_pictures(one, two, *guess)
            best = fit if best is None or (fit is not None and fit.score > best.score) else best
            if best is not None and best.score >= SURE:
                break
        if best is not None:
            found.append(((candidate.first, candidate.second), best))
    return found


def _unpack(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return picture[: shape[0], : shape[1]].astype(np.float32) / QUANTUM


def _chunks(items: Sequence[Item], length: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), length):
        yield items[start : start + length]
