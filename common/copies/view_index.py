"""Finding similar views through an index instead of comparing each one with each other."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

DIMENSIONS = 40
SAMPLE = 20_000
"""Views that the principal axes are fitted to."""

EXACT_UP_TO = 10_000
"""With up to so many views all are compared; with more, only those of the nearest cells."""

LEAST_IN_CELL = 39
"""Views of a cell on average: faiss finds no good cells with fewer."""

PROBES = 12
"""Cells that are searched."""


def find_similar_views(descriptors: np.ndarray, neighbours: int, workers: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The ``neighbours`` nearest views of each view.

    Above ``EXACT_UP_TO`` views the space is divided into cells whose number grows as the square root of theirs, so
    that n views take in the order of n^1.5 steps.

    Args:
        descriptors: float32 (views, features).
        neighbours: how many to return for each.
        workers: threads.

    Returns:
        Indices (views, neighbours + 1), nearest first; the view itself is among them, -1 means none. And the squared
        distances.
    """
    rng = np.random.default_rng(0)
    sample = descriptors[np.sort(rng.permutation(len(descriptors))[:SAMPLE])]
    _, axes = np.linalg.eigh(np.cov(sample, rowvar=False))  # principal axes, the last ones first
    vectors = np.ascontiguousarray((descriptors - sample.mean(0)) @ axes[:, -DIMENSIONS:], dtype=np.float32)
    faiss = _load_faiss()
    with threadpool_limits(workers, user_api="openmp"):  # for the search alone: PyTorch shares the setting
        index = _make_index(faiss, vectors)
        index.add(vectors)
        distances, indices = index.search(vectors, neighbours + 1)
        return indices, distances


def _load_faiss() -> Any:
    """Import it late: it is slow, and logs which of its builds the processor does not support."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    import faiss

    return faiss


def _make_index(faiss: Any, vectors: np.ndarray) -> Any:
    count, dimensions = vectors.shape
    flat = faiss.IndexFlatL2(dimensions)
    if count <= EXACT_UP_TO:
        return flat
    cells = int(min(4 * np.sqrt(count), count / LEAST_IN_CELL))
    index = faiss.IndexIVFFlat(flat, dimensions, cells)
    index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid = 0, 10, 64
    index.nprobe = PROBES
    index.train(vectors)
    return index
