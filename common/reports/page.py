"""A report as one HTML file: headings, paragraphs, warnings, tables and pictures, nothing to fetch from elsewhere."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from common.files import write_text

DASH = "\N{EN DASH}"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: .8rem 0; display: block; overflow-x: auto }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd }
td { text-align: right } td:first-child, th:first-child { text-align: left } th { font-weight: 600 }
.warning { border-left: 4px solid #d08700; background: #fff6e0; padding: .5rem .8rem; margin: .6rem 0 }
img { max-width: 100% } figcaption, small { color: #555 } code { background: #f3f3f3; padding: 0 .2rem }
"""


class Page:
    """Collects the parts of a report in their order and writes them as one file.

    Args:
        title: of the report.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[str] = [f"<h1>{html.escape(title)}</h1>"]

    def heading(self, text: str) -> None:
        """A heading of a section."""
        self.parts.append(f"<h2>{html.escape(text)}</h2>")

    def paragraph(self, text: str) -> None:
        """A paragraph of plain text."""
        self.parts.append(f"<p>{html.escape(text)}</p>")

    def warning(self, text: str) -> None:
        """A paragraph that must not be overlooked."""
        self.parts.append(f'<p class="warning">{html.escape(text)}</p>')

    def table(self, frame: pd.DataFrame) -> None:
        """A table; floats are shown with three digits."""
        self.parts.append(frame.to_html(index=False, border=0, float_format=lambda value: f"{value:.3f}", na_rep=DASH))

    def picture(self, figure: Figure, caption: str) -> None:
        """A figure, embedded."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
        alt = html.escape(caption)
        self.parts.append(
            f'<figure><img alt="{alt}" src="data:image/png;base64,{encoded}"><figcaption>{alt}</figcaption></figure>'
        )

    def write(self, path: str | Path) -> None:
        """Write the page, atomically."""
        body = "\n".join(self.parts)
        head = f'<meta charset="utf-8"><title>{html.escape(self.title)}</title><style>{STYLE}</style>'
        write_text(path, f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n')
