"""``metadata.json`` of a bundle, as packages, studies and MONAI Label read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.commands import ROOT
from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import deep, odd_json, odd_parts_of, on_bytes, write_json

Made = tuple[Path, dict[str, Any]]

NEEDED = ("version", "changelog", "task", "intended_use", "data_type", "network_data_format")
"""Without one of these a program of the suite stops."""


def write(folder: Path, draw: Draw) -> Made:
    bundles = sorted(path for path in (ROOT / "bundles").iterdir() if (path / "configs").is_dir())
    source = bundles[draw.integers(len(bundles))] / "configs" / "metadata.json"
    path = folder / "metadata.json"
    path.write_bytes(source.read_bytes())
    return path, json.loads(source.read_text(encoding="utf-8"))


def read(folder: Path, output: Path) -> dict[str, Any]:
    from common.tasks.metadata import read_metadata

    metadata = read_metadata(folder / "metadata.json")
    assert isinstance(metadata["version"], str) and metadata["version"] in metadata["changelog"], "no version"
    return metadata


def has_header(folder: Path) -> bool:
    try:
        return isinstance(json.loads((folder / "metadata.json").read_text(encoding="utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def other_form(folder: Path, made: Made, draw: Draw) -> Truth:
    write_json(*made, draw)
    return must_be(made[1])


def more_keys(folder: Path, made: Made, draw: Draw) -> Truth:
    """Keys that nobody here reads."""
    path, content = made
    content = {**content, "x-remark": "é", "supported_apps": {}, "numpy_version": ["1", 2]}
    write_json(path, content, draw)
    return must_be(content)


def lacking(folder: Path, made: Made, draw: Draw) -> Truth:
    path, content = made
    if draw.integers(2):
        del content[NEEDED[draw.integers(len(NEEDED))]]
    else:
        content["version"] = ("9.9.9", "", None, 1)[draw.integers(4)]
    write_json(path, content)
    return MUST_BE_REFUSED


def odd_parts(folder: Path, made: Made, draw: Draw) -> Truth:
    path, content = made
    part = NEEDED[draw.integers(len(NEEDED))]
    inner = odd_json({"x": content[part]}, draw)
    changed = {**content, part: inner.get("x") if isinstance(inner, dict) else inner} if draw.integers(2) else None
    content = odd_parts_of(content, draw)
    write_json(path, changed or content)
    return ANYTHING


def the_file(folder: Path, made: Made, draw: Draw) -> Path:
    return made[0]


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made[1])),
    Mutation("another form", other_form, 3.0),
    Mutation("more keys", more_keys),
    Mutation("what is refused", lacking, 3.0),
    Mutation("odd parts", odd_parts, 7.0),
    deep(the_file),
    *on_bytes("file", the_file),
)

READERS = (Reader("metadata", write, MUTATIONS, has_header, read),)
