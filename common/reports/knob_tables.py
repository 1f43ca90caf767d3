"""Knob tables: the settings of a bundle's config, taken from the comments of its YAML.

A knob is a top-level key above the line ``# --- end of knobs ---`` (or of the whole file, where there is no such
line), written on one line with its meaning: ``seed: 0  # the seed of everything random``. A comment on a line of its
own is a heading for the reader of the file. MONAI has no ``--help`` for a config; these tables replace it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.errors import KnobError, Problem
from common.files import write_text

END_OF_KNOBS = re.compile(r"^# --- end of knobs ---\s*$", re.MULTILINE)
NOT_KNOBS = ("imports",)
"""Top-level keys that MONAI's bundles have above the line, and that are no knobs."""

_TABLE = re.compile(r"(<!-- knobs:(?P<config>[\w.-]+) -->\n)(?:(?!<!-- knobs:).)*?(<!-- /knobs -->)", re.DOTALL)
_MARK = re.compile("<!-- /?knobs")
_COMMENT = re.compile(r"[ \t]+#[ \t]*(?P<meaning>\S.*)")


@dataclass(frozen=True)
class Knob:
    """One setting of a config.

    Args:
        name: the key, as it is given on the command line.
        default: the value as the file writes it.
        meaning: the comment beside it.
    """

    name: str
    default: str
    meaning: str


def read_knobs(yaml_path: str | Path) -> list[Knob]:
    """The knobs of a config, in the order of the file.

    Raises:
        KnobError: the file is missing or no YAML mapping, or a knob has no meaning, appears twice or takes more than
            one line; all of a file's problems at once.
    """
    path = Path(yaml_path)
    text, entries = _compose(path)
    knobs: list[Knob] = []
    problems: list[Problem] = []
    for key, value in entries:
        if key.value in NOT_KNOBS:
            continue
        where = f"{path}:{key.start_mark.line + 1}"
        comment = _COMMENT.match(text, value.end_mark.index)
        if value.end_mark.line != key.start_mark.line:
            hint = "Write its value on one line, or move it below the line '# --- end of knobs ---'."
            problems.append(Problem(f"the knob {key.value} takes more than one line", where, hint))
        elif comment is None:
            hint = "Say what it does in a comment on the same line."
            problems.append(Problem(f"the knob {key.value} has no meaning", where, hint))
        elif any(knob.name == key.value for knob in knobs):
            problems.append(Problem(f"the knob {key.value} appears twice", where, "Remove one of the two."))
        else:
            default = text[value.start_mark.index : value.end_mark.index] or "null"
            knobs.append(Knob(key.value, default, comment["meaning"].rstrip()))
    if problems:
        raise KnobError(problems)
    return knobs


def knob_table(knobs: list[Knob]) -> str:
    """The knobs as a Markdown table, one row per knob, without a final newline."""
    rows = [f"| `{knob.name}` | `{_cell(knob.default)}` | {_cell(knob.meaning)} |" for knob in knobs]
    return "\n".join(["| knob | default | meaning |", "|---|---|---|", *rows])


def update_document(document_path: str | Path, bundle_dir: str | Path, check: bool = False) -> bool:
    """Write the tables of a bundle's configs between the markers of a document.

    The markers ``<!-- knobs:train.yaml -->`` and ``<!-- /knobs -->`` enclose the table of ``configs/train.yaml``.

    Args:
        document_path: the Markdown file; it is replaced only where a table changes.
        bundle_dir: the bundle whose ``configs`` folder the markers name files of.
        check: only find out whether a table is stale.

    Returns:
        Whether the document's tables were stale.

    Raises:
        KnobError: the document has no markers or one without its end, or :func:`read_knobs` refuses a config.
    """
    document = Path(document_path)
    text = _read(document)
    tables = len(_TABLE.findall(text))
    if tables == 0 or 2 * tables != len(_MARK.findall(text)):
        hint = "Enclose each table in '<!-- knobs:train.yaml -->' and '<!-- /knobs -->', each on a line of its own."
        raise KnobError(Problem("its marks for knob tables are missing or incomplete", document, hint))

    def with_table(match: re.Match[str]) -> str:
        table = knob_table(read_knobs(Path(bundle_dir) / "configs" / match["config"]))
        return f"{match[1]}{table}\n{match[3]}"

    fresh = _TABLE.sub(with_table, text)
    if fresh != text and not check:
        write_text(document, fresh)
    return fresh != text


def _compose(path: Path) -> tuple[str, list[tuple[yaml.ScalarNode, yaml.Node]]]:
    """The part of a config that holds the knobs, as text and as top-level keys and values."""
    text = END_OF_KNOBS.split(_read(path), maxsplit=1)[0]
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise KnobError(Problem(f"it is no YAML ({error})", path, "Correct it.")) from error
    if not isinstance(root, yaml.MappingNode):
        raise KnobError(Problem("it holds no keys above the end of the knobs", path, "Write 'name: value' lines."))
    return text, root.value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise KnobError(Problem(f"cannot be read ({reason})", path, "Correct the path, or what names it.")) from error


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
