"""Comparing the pairs of pictures that an index proposes, only as many as are needed to find the groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from common.copies.alignment import Pictures, correlate_details, describe_map, fit_maps
from common.copies.candidates import Candidates, Guesses, Views, guess, join_candidates, list_views, match_views
from common.copies.fingerprints import Fingerprint
from common.copies.groups import join_pairs

SURE = 0.95
"""Pictures that pairs of this score have already joined are not compared again."""

ROUNDS = 6
"""Times that every group is compared with the one most like it, before the remaining pairs are compared."""

BATCH = 64
"""Pairs that are laid over each other at once."""

Compared = dict[tuple[int, int], tuple[float, str]]


class _Groups:
    """Which pictures sure pairs have joined: ``of`` is the number of each one's group, ``compared`` what was found."""

    def __init__(self, count: int, known: Iterable[tuple[int, int]]) -> None:
        self.count, self.sure = count, list(known)
        self.compared: Compared = {}
        self.of = join_pairs(self.sure, count)

    def add(self, guesses: Guesses, maps: np.ndarray, scores: np.ndarray, coverage: np.ndarray) -> None:
        """Keep the better of what was known of a pair and what was found now."""
        for place in np.flatnonzero(scores > 0):
            pair = int(guesses.pairs.first[place]), int(guesses.pairs.second[place])
            score = float(scores[place])
            if score > self.compared.get(pair, (0.0, ""))[0]:
                self.compared[pair] = score, describe_map(maps[place], coverage[place])
            if score >= SURE:
                self.sure.append(pair)

    def join(self) -> None:
        """Bring ``of`` up to date."""
        self.of = join_pairs(self.sure, self.count)

    def are_apart(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Which of the pairs no sure ones have joined."""
        return np.asarray(self.of[first] != self.of[second])


def compare_all(
    fingerprints: Sequence[Fingerprint], known: Iterable[tuple[int, int]], workers: int, progress: bool
) -> Compared:
    """Lay pictures over each other until it is known which belong together.

    Args:
        fingerprints: of all images.
        known: pairs that are known to be copies, by their indices.
        workers: threads.
        progress: show a progress bar.

    Returns:
        Score and transform of each compared pair of indices, without those that the fit rejected.
    """
    pictures = Pictures(
        np.stack([fingerprint.picture for fingerprint in fingerprints]),
        np.array([fingerprint.shape for fingerprint in fingerprints]),
    )
    views = list_views(fingerprints)
    groups = _Groups(len(fingerprints), known)
    with ThreadPoolExecutor(workers) as pool:
        left = _join_at_sight(pictures, views, match_views(views, workers), groups, pool)
        guesses = guess(pictures, views, left)
        guesses = guesses[np.argsort(-guesses.scores, kind="stable")]
        with tqdm(total=len(guesses), desc="Comparing images", leave=False, unit="guess", disable=not progress) as bar:
            _fit_rest(pictures, guesses, groups, pool, bar)
    return groups.compared


def _join_at_sight(
    pictures: Pictures, views: Views, candidates: Candidates, groups: _Groups, pool: ThreadPoolExecutor
) -> Candidates:
    """Join what agrees without a fit, whole frames first; returns the candidates that are left."""

    def owners(some: Candidates) -> tuple[np.ndarray, np.ndarray]:
        return views.owner[some.first], views.owner[some.second]

    whole = views.whole[candidates.first] & views.whole[candidates.second]
    candidates = candidates[np.argsort(~whole, kind="stable")]
    seen = []
    for _ in range(ROUNDS):
        candidates = candidates[groups.are_apart(*owners(candidates))]
        first, second = owners(candidates)
        chosen = best_of_each(groups.of[first], groups.of[second])
        seen.append(candidates[chosen])
        candidates = candidates[np.setdiff1d(np.arange(len(candidates)), chosen)]
        parts = _parts(guess(pictures, views, seen[-1]))
        found = pool.map(lambda part: correlate_details(pictures, part.pairs), parts)
        for part, (scores, coverage) in zip(parts, found, strict=True):
            groups.add(part, part.pairs.maps, scores, coverage)
        groups.join()
    left = join_candidates([*seen, candidates])
    return left[groups.are_apart(*owners(left))]


def _fit_rest(pictures: Pictures, guesses: Guesses, groups: _Groups, pool: ThreadPoolExecutor, bar: tqdm) -> None:
    """Fit the best guess of each group in turn, in the end the best one of every two groups."""
    for turn in range(ROUNDS + 1):
        guesses = guesses[groups.are_apart(guesses.pairs.first, guesses.pairs.second)]
        bar.update(bar.total - len(guesses) - bar.n)
        ends = groups.of[guesses.pairs.first], groups.of[guesses.pairs.second]
        chosen = best_of_each(*ends) if turn < ROUNDS else best_of_each_two(*ends)
        parts = _parts(guesses[chosen])
        found = pool.map(lambda part: fit_maps(pictures, part.pairs, part.centres, part.radii), parts)
        for part, (maps, scores, coverage) in zip(parts, found, strict=True):
            groups.add(part, maps, scores, coverage)
            bar.update(len(part))
        groups.join()
        guesses = guesses[np.setdiff1d(np.arange(len(guesses)), chosen)]


def best_of_each(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Places of the pairs that are the first one of either of their groups.

    As in Boruvka's minimum spanning tree, each group chooses its best candidate to another group: n images are joined
    by little more than n comparisons, not by one for each of their pairs.

    Args:
        first: (n,) a group of each pair, the best pairs first.
        second: (n,) the other group.
    """
    ends = np.column_stack([first, second]).ravel()
    return np.unique(np.unique(ends, return_index=True)[1] // 2)


def best_of_each_two(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Places of the first pair of every two groups; see :func:`best_of_each`."""
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second)
    return np.sort(np.unique(low * (high.max(initial=0) + 1) + high, return_index=True)[1])


def _parts(guesses: Guesses) -> list[Guesses]:
    return [guesses[start : start + BATCH] for start in range(0, len(guesses), BATCH)]
