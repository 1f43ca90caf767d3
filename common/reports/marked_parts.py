"""Parts of a document that a program writes, between marks: ``<!-- knobs:train.yaml -->`` and ``<!-- /knobs -->``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from common.errors import KnobError, Problem
from common.files import write_text


def write_parts(document: Path, kind: str, make: Callable[[str], str], check: bool = False) -> bool:
    """Write the parts of a kind between their marks.

    Args:
        document: the Markdown file; it is replaced only where a part changes.
        kind: ``knobs`` of ``<!-- knobs:train.yaml -->``.
        make: the text of a part, without a final newline, by its name, ``train.yaml``.
        check: only find out whether a part is stale.

    Returns:
        Whether a part was stale.

    Raises:
        KnobError: the document cannot be read, or has no marks or one without its end.
    """
    text = read_document(document)
    begin, end = rf"<!-- {kind}:(?P<name>[\w.-]+) -->\n", rf"<!-- /{kind} -->"
    part = re.compile(rf"({begin})(?:(?!<!-- {kind}:).)*?({end})", re.DOTALL)
    parts = len(part.findall(text))
    if parts == 0 or 2 * parts != len(re.findall(f"<!-- /?{kind}", text)):
        hint = f"Enclose each part in '<!-- {kind}:name -->' and '<!-- /{kind} -->', each on a line of its own."
        raise KnobError(Problem(f"its marks for {kind} are missing or incomplete", document, hint))
    fresh = part.sub(lambda match: f"{match[1]}{make(match['name'])}\n{match[3]}", text)
    if fresh != text and not check:
        write_text(document, fresh)
    return fresh != text


def read_document(path: Path) -> str:
    """The text of a file.

    Raises:
        KnobError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise KnobError(Problem(f"cannot be read ({reason})", path, "Correct the path, or what names it.")) from error
