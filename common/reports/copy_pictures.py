"""Pictures of copies, so that a person can check the groups and the threshold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from common.copies.groups import CopyPair, CopyReport
from common.files import atomic_path
from common.formats.images import read_image
from common.reports.drawn_text import as_drawn

THUMBNAIL = 128
COLUMNS = 8

Tile = tuple[str, str]
"""An image and what stands above it."""


def draw_contact_sheet(report: CopyReport, path: str | Path, groups: int = 8, pairs: int = 8) -> None:
    """Write a PNG of the largest groups, one row per group, and of the pairs that are closest to the threshold.

    Args:
        report: what was found.
        path: of the PNG.
        groups: how many to show; of a large one, images evenly spread over its names.
        pairs: how many to show on either side of the threshold.
    """
    copied = [group for group in report.groups[:groups] if len(group) > 1]
    rows = [(f"{len(group)} images", [(report.images[name], name) for name in _spread(group)]) for group in copied]
    for title, found in zip(("least sure", "refused"), find_doubtful_pairs(report, pairs), strict=True):
        tiles = [tile for pair in found for tile in _tiles_of(pair, report)]
        rows += [(title, tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    figure = Figure(figsize=(1.45 * COLUMNS, 1.7 * max(len(rows), 1)), layout="constrained")
    grid = figure.subplots(max(len(rows), 1), COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for line, (title, tiles) in zip(grid, rows, strict=False):
        for axes, (image, caption) in zip(line, tiles, strict=False):
            axes.imshow(_thumbnail(image), cmap="gray", vmin=0, vmax=255)
            axes.set_title(as_drawn(caption), fontsize=6)
        where = line[0].transAxes
        line[0].text(-0.05, 0.5, title, rotation=90, va="center", ha="right", fontsize=7, transform=where)
    _save(figure, path)


def draw_threshold_curve(report: CopyReport, path: str | Path) -> None:
    """Write a PNG of how many groups and pairs each threshold would give, with the one that was used."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    left = figure.subplots()
    right = left.twinx()
    thresholds = [point.threshold for point in report.curve]
    (groups,) = left.plot(thresholds, [point.groups for point in report.curve], color="#1f4e79", label="groups")
    (pairs,) = right.plot(thresholds, [point.pairs for point in report.curve], color="#c55a11", label="pairs")
    left.axvline(report.threshold, color="grey", linestyle=":", label="threshold")
    left.set(xlabel="threshold of the correlation", ylabel="groups")
    right.set_ylabel("pairs")
    title = f"{len(report.images):,} images in {len(report.groups):,} groups at {report.threshold:g}"
    left.set_title(title, fontsize=10)
    left.legend(handles=[groups, pairs], frameon=False, loc="center left")
    _save(figure, path)


def find_doubtful_pairs(report: CopyReport, count: int) -> tuple[list[CopyPair], list[CopyPair]]:
    """The pairs next to the threshold on which the groups depend.

    A pair whose images are also joined by pairs with higher scores is not doubtful, however low its own score.

    Args:
        report: what was found.
        count: of pairs on either side of the threshold, at most.

    Returns:
        The accepted pairs, the lowest score first; the refused pairs, the highest score first.
    """
    place = {subject: index for index, subject in enumerate(report.images)}
    links = _spanning_links(report.compared, place)
    kept = [pair for pair in links if pair.score >= report.threshold]
    refused = [pair for pair in links if pair.score < report.threshold]
    return kept[::-1][:count], refused[:count]


def _spanning_links(pairs: Iterable[CopyPair], place: dict[str, int]) -> list[CopyPair]:
    """The minimum spanning tree: those of ``pairs``, the highest score first, that join two groups."""
    pairs = list(pairs)
    ends = np.array([(place[pair.first], place[pair.second]) for pair in pairs], dtype=np.intp).reshape(-1, 2).T
    ranks = coo_array((np.arange(1.0, len(pairs) + 1), tuple(ends)), shape=(len(place), len(place)))
    return [pairs[int(rank) - 1] for rank in sorted(minimum_spanning_tree(ranks.tocsr()).data)]


def _tiles_of(pair: CopyPair, report: CopyReport) -> list[Tile]:
    return [
        (report.images[pair.first], f"{pair.first}\n{pair.score:.3f}"),
        (report.images[pair.second], f"{pair.second}\n{pair.transform}"),
    ]


def _spread(group: Sequence[str]) -> list[str]:
    """At most a row of the group, evenly spread."""
    return [group[index] for index in np.unique(np.linspace(0, len(group) - 1, COLUMNS).astype(int))]


def _thumbnail(path: str) -> Image.Image:
    image = Image.fromarray(read_image(path))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return image


def _save(figure: Figure, path: str | Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
