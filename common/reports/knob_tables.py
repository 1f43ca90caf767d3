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
from common.reports.marked_parts import read_document, write_parts

END_OF_KNOBS = re.compile(r"^# --- end of knobs ---\s*$", re.MULTILINE)
NOT_KNOBS = ("imports",)
"""Top-level keys that MONAI's bundles have above the line, and that are no knobs."""

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
    """Write the tables of a bundle's configs between the marks of a document.

    The marks ``<!-- knobs:train.yaml -->`` and ``<!-- /knobs -->`` enclose the table of ``configs/train.yaml``.

    Args:
        document_path: the Markdown file; it is replaced only where a table changes.
        bundle_dir: the bundle whose ``configs`` folder the marks name files of.
        check: only find out whether a table is stale.

    Returns:
        Whether the document's tables were stale.

    Raises:
        KnobError: the document has no marks or one without its end, or :func:`read_knobs` refuses a config.
    """
    configs = Path(bundle_dir) / "configs"
    return write_parts(Path(document_path), "knobs", lambda name: knob_table(read_knobs(configs / name)), check)


def _compose(path: Path) -> tuple[str, list[tuple[yaml.ScalarNode, yaml.Node]]]:
    """The part of a config that holds the knobs, as text and as top-level keys and values."""
    text = END_OF_KNOBS.split(read_document(path), maxsplit=1)[0]
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise KnobError(Problem(f"it is no YAML ({error})", path, "Correct it.")) from error
    if not isinstance(root, yaml.MappingNode):
        raise KnobError(Problem("it holds no keys above the end of the knobs", path, "Write 'name: value' lines."))
    return text, root.value


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
