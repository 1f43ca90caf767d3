"""Names in figures: of patients, files and classes, as somebody else has written them."""

from __future__ import annotations


def as_drawn(text: str) -> str:
    """The text with its dollar signs escaped: Matplotlib takes what stands between two of them for a formula.

    A wrong formula would be an error when the figure is saved, and ``a$b$c`` would lose its signs.
    """
    return text.replace("$", r"\$")
