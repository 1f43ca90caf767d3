"""The page of an audit, with the pairs side by side, and the table of all pairs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from common.audit.comparison import Audit, Comparison, Match
from common.audit.contents import PREVIEW_SIDE
from common.audit.remarks import remarks_of
from common.audit.summary import describe_match, share_of, summarise_folds, title_of
from common.audit.traces import KINDS
from common.formats.images import read_image
from common.formats.spreadsheets import write_frame
from common.reports.page import render_page

SHOWN_OF_KIND = 8
"""Pairs on the page, of each kind and each two sides."""

COLUMNS = ("division", "side", "case", "counterpart_side", "counterpart", "kind", "score", "transform", "further")


def write_audit(audit: Audit, folder: Path) -> tuple[Path, Path]:
    """Write ``audit.html`` and ``pairs.csv``; returns the two.

    Raises:
        OutputError: the folder cannot be written to.
    """
    page, table = folder / "audit.html", folder / "pairs.csv"
    write_pairs(audit, table)
    pictures = _Pictures(audit)
    sections = [_section(comparison, pictures) for comparison in audit.comparisons]
    render_page(
        page,
        "audit",
        audit=audit,
        remarks=remarks_of(audit),
        folds=summarise_folds(audit),
        sections=sections,
        kinds=KINDS,
        found=[kind for kind in KINDS if any(kind in comparison.counts for comparison in audit.comparisons)],
        shown=SHOWN_OF_KIND,
    )
    return page, table


def write_pairs(audit: Audit, path: Path) -> None:
    """Write a line for each touched case and each way in which it is."""
    rows = []
    for comparison in audit.comparisons:
        first, second = comparison.sides
        for match in comparison.matches:
            found = (f"{match.pair.score:.4f}", match.pair.transform) if match.pair else ("", "")
            named = (comparison.division, second, match.second, first, match.first)
            rows.append((*named, KINDS[match.kind], *found, match.others))
    write_frame(path, pd.DataFrame(rows, columns=list(COLUMNS)))


class _Pictures:
    """Small pictures of cases, as addresses that a page can embed."""

    def __init__(self, audit: Audit) -> None:
        self._cases = audit.split.cases
        self._contents = audit.contents
        self._made: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Of the first file of a case; empty where no image was read."""
        files = self._cases[name].files
        if self._contents is None or not files:
            return ""
        if files[0] not in self._made:
            scan = self._contents.scans.get(files[0])
            self._made[files[0]] = _embed(scan.preview if scan else read_image(files[0]))
        return self._made[files[0]]


def _embed(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _section(comparison: Comparison, pictures: _Pictures) -> dict[str, Any]:
    first, second = comparison.sides
    pairs = [
        {
            "how": describe_match(match),
            "cases": [(side, name, pictures.of(name)) for side, name in ((second, match.second), (first, match.first))],
        }
        for match in _choose(comparison)
    ]
    return {
        "comparison": comparison,
        "heading": title_of(comparison),
        "share": share_of(comparison),
        "pairs": pairs,
    }


def _choose(comparison: Comparison) -> Iterator[Match]:
    for kind in KINDS:
        yield from [match for match in comparison.matches if match.kind == kind][:SHOWN_OF_KIND]
