"""A report page: one HTML file from a jinja2 template of ``templates/``; it loads nothing from elsewhere."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from common.files import write_text

if TYPE_CHECKING:
    from jinja2 import Environment

DASH = "\N{EN DASH}"
FEW_PATIENTS = 20
FEW_OF_A_CLASS, FEW_VOLUMES = 5, 60
"""Below them intervals are too narrow of macro F1, and of a mean Dice with failures: docs/statistics.md."""
OPENED, WRAPPED = re.compile(r"(?<=>)\s*\n\s*(?=[^\s<])"), re.compile(r"\s*\n\s*(?=[^\s<])")
"""Line breaks of a template before text: after a tag, and within a paragraph."""
HEADING = re.compile(r"(?<=<th>)[^<]+")
PHANTOMS = "These are phantoms: generated images whose rule we wrote. The numbers say nothing clinical."


def render_page(path: str | Path, template: str, **content: Any) -> None:
    """Write a page, atomically.

    A paragraph that the template wraps is a single line of the page.

    Args:
        path: of the HTML file.
        template: its name in ``templates/``, without ``.html.j2``.
        content: variables of the template; one that is missing is an error.

    Raises:
        OutputError: the file cannot be written.
    """
    html = _environment().get_template(f"{template}.html.j2").render(content)
    write_text(path, WRAPPED.sub(" ", OPENED.sub("", html)).strip() + "\n")


@cache
def _environment() -> Environment:
    """The templates' environment: all variables are escaped; jinja2 is imported when the first page is written."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(table=_table, png=_png)
    environment.globals.update(
        FEW_PATIENTS=FEW_PATIENTS, FEW_OF_A_CLASS=FEW_OF_A_CLASS, FEW_VOLUMES=FEW_VOLUMES, PHANTOMS=PHANTOMS
    )
    return environment


def _table(frame: pd.DataFrame) -> Any:
    """A table, or nothing where it has no rows; floats have three digits, headings may be broken after a ``_``."""
    from markupsafe import Markup

    if frame.empty:
        return ""
    with pd.option_context("display.max_colwidth", None):  # else names of more than 50 signs are cut
        shown = frame.to_html(index=False, border=0, float_format=lambda value: f"{value:.3f}", na_rep=DASH)
    return Markup(HEADING.sub(lambda name: name[0].replace("_", "_<wbr>"), shown))  # pandas has escaped it


def _png(figure: Figure) -> str:
    """A figure, to be embedded."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
