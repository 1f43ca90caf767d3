"""Names of files, patients and classes that are markup, addresses or formulas: shown as they are, wherever they go."""

from __future__ import annotations

import csv
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from common.audit.comparison import audit_split
from common.audit.page import write_audit
from common.audit.readers.reading import Source, read_split
from common.copies.groups import CopyPair, CopyReport
from common.reports.classification.curves import draw_reliability
from common.reports.copies import draw_copies
from common.reports.pictures import draw_confusion, draw_picture_grad_cam, draw_segmentation_panel

NAMES = (
    "<script>alert(1)<'script>",
    '" onerror="alert(1)',
    "<img src=x onerror=alert(1)>",
    "a'b`c",
    "#a?b=1&c=%2e%2e&amp;",
    "{{ 7*7 }}{% raw %}",
    "=cmd|' 'C calc'!A0",
    "@import",
    "p$\\frac{$q",
    "a$b$c",
)
Writer = Callable[..., Path]


class Page(HTMLParser):
    """The tags, the attributes and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def split_of_odd_names(tmp_path: Path, write_image: Writer) -> Path:
    """The same pictures, with odd names, on both sides of a split in folders."""
    for name in NAMES:
        first = write_image(tmp_path / "split" / "train" / f"{name}.png")
        (tmp_path / "split" / "test").mkdir(exist_ok=True)
        (tmp_path / "split" / "test" / f"{name} too.png").write_bytes(first.read_bytes())
    return tmp_path / "split"


def test_the_audit_of_a_split(split_of_odd_names: Path, tmp_path: Path) -> None:
    audit = audit_split(read_split(Source(split_of_odd_names)))
    html, table = write_audit(audit, tmp_path / "out")
    page = Page(html.read_text(encoding="utf-8"))
    text = "".join(page.texts)
    assert page.tags.isdisjoint({"script", "a", "iframe"})
    assert page.attributes <= {"lang", "charset", "name", "content", "class", "alt", "src"}
    assert all(link.startswith("data:image/") for link in page.links)
    assert all(name in text for name in sorted(NAMES)[:8])  # as many pairs of a kind as the page shows
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= len(NAMES)
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]


def save(figure: Figure, path: Path) -> int:
    figure.savefig(path, format="png")
    return path.stat().st_size


@pytest.mark.parametrize("name", NAMES)
def test_figures_with_such_titles_and_classes(name: str, tmp_path: Path) -> None:
    plane = np.zeros((8, 8))
    half = np.array([[0.5, 0.5]])
    figures = (
        draw_segmentation_panel(plane, None, plane.astype(int), title=name),
        draw_picture_grad_cam(plane[None], plane, title=name),
        draw_confusion(np.eye(2, dtype=int), (name, "no")),
        draw_reliability({name: (half[0], half[0])}, half),
    )
    assert all(save(figure, tmp_path / "a.png") > 1000 for figure in figures)
    assert figures[0].get_suptitle().replace("\\$", "$") == name


def test_the_contact_sheet_and_the_table_of_copies(tmp_path: Path, write_image: Writer) -> None:
    images = {name: str(write_image(tmp_path / f"{name}.png")) for name in NAMES}
    pairs = [CopyPair(first, second, 0.9, "identical") for first, second in pairwise(NAMES)]
    draw_copies(CopyReport(images, pairs, 0.8), tmp_path / "out")
    with (tmp_path / "out" / "copies.csv").open(newline="", encoding="utf-8") as file:
        subjects = {row["subject"] for row in csv.DictReader(file)}
    assert {f"'{name}" for name in NAMES if name[0] in "=@"} <= subjects
