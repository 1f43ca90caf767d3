from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jinja2 import ChoiceLoader, DictLoader, UndefinedError
from matplotlib.figure import Figure

from common.reports import page

EVIL = "<script>alert('x')</script> & \"more\""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a page with the given body and returns it."""

    def written(body: str, **content: Any) -> str:
        source = "{% extends 'base.html.j2' %}{% from 'parts.html.j2' import picture %}"
        own = DictLoader({"x.html.j2": f"{source}{{% block body %}}{body}{{% endblock %}}"})
        whole = page._environment().overlay(loader=ChoiceLoader([own, page._environment().loader]))
        monkeypatch.setattr(page, "_environment", lambda: whole)
        page.render_page(tmp_path / "report.html", "x", **content)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return written


def test_text_is_escaped_wherever_it_comes_from(written: Any) -> None:
    source = """<h2>{{ title }}</h2><p>{{ title }}</p>{{ frame|table }}
    {% call picture(figure) %}{{ title }}{% endcall %}"""
    html = written(source, title=EVIL, frame=pd.DataFrame({EVIL: [EVIL]}), figure=Figure())
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 8  # title twice, picture twice, table twice, once in each of the others
    assert 'alt="&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &#34;more&#34;"' in html


def test_pictures_are_embedded_and_nothing_is_fetched(written: Any) -> None:
    source = "{% call picture(figure) %}a picture{% endcall %}"
    html = written(source, title="x", figure=Figure(figsize=(1, 1)))
    (encoded,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(encoded).startswith(b"\x89PNG")
    assert "http" not in html


def test_tables_have_three_digits_and_a_dash_for_nothing(written: Any) -> None:
    frame = pd.DataFrame({"dice": [0.12345, float("nan")]})
    html = written("{{ frame|table }}", title="x", frame=frame)
    assert "<td>0.123</td>" in html
    assert "<td>\N{EN DASH}</td>" in html


def test_a_long_name_of_a_column_may_be_broken(written: Any) -> None:
    html = written("{{ frame|table }}", title="x", frame=pd.DataFrame({"predicted_ml_WT": ["a_b"]}))
    assert "<th>predicted_<wbr>ml_<wbr>WT</th>" in html
    assert "<td>a_b</td>" in html


def test_a_wrapped_paragraph_is_one_line(written: Any) -> None:
    html = written("<p>\none\n  {% if True %}\ntwo\n{% endif %}\nthree\n</p>\n<p>four</p>", title="x")
    assert "<p>one two three\n</p>\n<p>four</p>" in html


def test_what_a_template_lacks_is_an_error_and_no_page(written: Any, tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="title"):
        written("")
    assert not (tmp_path / "report.html").exists()


def test_every_template_can_be_read() -> None:
    names = page._environment().list_templates(extensions=["j2"])
    assert {"base.html.j2", "classification.html.j2", "segmentation.html.j2"} <= set(names)
    for name in names:
        page._environment().get_template(name)


def test_jinja2_is_loaded_when_a_page_is_written() -> None:
    code = "import sys; import common.reports.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_table_of_cases_can_be_sorted_and_filtered_and_is_whole_without_scripts(written: Any) -> None:
    source = "{% from 'cases.html.j2' import cases, sorting %}{{ cases(frame, 'patient') }}{{ sorting() }}"
    html = written(source, title="x", frame=pd.DataFrame({"subject": ["<b>A</b>", *"BCDEFGHIJKLMNOPQRSTUVWXYZ"]}))
    table, script = html.partition("<script>")[::2]
    assert table.count("<tr") == 27
    assert "&lt;b&gt;A&lt;/b&gt;" in table
    assert '<label hidden>Show rows with <input type="search"' in table  # shown by the script that filters
    assert "label.hidden = false" in script
    assert "innerHTML" not in script  # the name of a patient stays text
