from __future__ import annotations

import base64
import re
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from common.reports.page import Page


def written(page: Page, folder: Path) -> str:
    page.write(folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_text_is_escaped_wherever_it_comes_from(tmp_path: Path) -> None:
    evil = "<script>alert('x')</script> & \"more\""
    page = Page(evil)
    page.heading(evil)
    page.paragraph(evil)
    page.warning(evil)
    page.table(pd.DataFrame({evil: [evil]}))
    page.picture(Figure(), evil)
    html = written(page, tmp_path)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 9  # title twice, picture twice, table twice, once in each of the others


def test_pictures_are_embedded_and_nothing_is_fetched(tmp_path: Path) -> None:
    page = Page("x")
    page.picture(Figure(figsize=(1, 1)), "a picture")
    html = written(page, tmp_path)
    (encoded,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(encoded).startswith(b"\x89PNG")
    assert "http" not in html


def test_tables_have_three_digits_and_a_dash_for_nothing(tmp_path: Path) -> None:
    page = Page("x")
    page.table(pd.DataFrame({"dice": [0.12345, float("nan")]}))
    html = written(page, tmp_path)
    assert "<td>0.123</td>" in html
    assert "<td>\N{EN DASH}</td>" in html


def test_parts_keep_their_order(tmp_path: Path) -> None:
    page = Page("first")
    page.warning("second")
    page.heading("third")
    html = written(page, tmp_path)
    assert html.index("<h1>first") < html.index("second") < html.index("<h2>third")
