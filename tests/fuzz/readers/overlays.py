"""YAML overlays on a bundle's config, and the command line that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from common.commands import ROOT
from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import deep_json, odd_parts_of, on_bytes, write_json

BUNDLE = ROOT / "bundles" / "glioma_grade_classification"
KNOBS: dict[str, Any] = {
    "epochs": 3,
    "seed": 7,
    "learning_rate": 0.5,
    "output_dir": "some/folder",
    "backbone": "resnet34",
    "exclude": ["001", "1e3"],
    "amp": True,
    "split_file": None,
}

Made = tuple[Path, dict[str, Any]]


def write(folder: Path, draw: Draw) -> Made:
    names = [name for name in KNOBS if draw.integers(2)] or ["epochs"]
    content = {name: KNOBS[name] for name in names}
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(content))
    return path, content


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As a run does that is started with the overlay; what it sets, and what stays of the config below."""
    from common.knobs import check_overrides, merged_config, parse_command_line

    path = next(folder.glob("overlay.*"))
    arguments = ["run", "training", "--config_file", f"['{BUNDLE / 'configs' / 'train.yaml'}','{path}']"]
    check_overrides([*arguments, "--epochs", "5"])
    files, _ = parse_command_line(arguments)
    merged = merged_config(files)
    assert "train" in merged and isinstance(merged, dict), "the config below is lost"
    return {name: merged[name] for name in KNOBS if name in merged}


def has_header(folder: Path) -> bool:
    try:
        text = next(folder.glob("overlay.*")).read_text(encoding="utf-8")
        return isinstance(yaml.safe_load(text), dict)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return False


def value_of(content: dict[str, Any]) -> dict[str, Any]:
    below = yaml.safe_load((BUNDLE / "configs" / "train.yaml").read_text())
    return {name: {**below, **content}[name] for name in KNOBS if name in {**below, **content}}


def other_form(folder: Path, made: Made, draw: Draw) -> Truth:
    """Flow style, quotes, comments, order, marks, line ends, anchors, several documents' marks, JSON."""
    path, content = made
    keys = list(content)
    draw.shuffle(keys)
    content = {key: content[key] for key in keys}
    if draw.integers(4) == 0:
        path.unlink()
        write_json(folder / "overlay.json", content)
        return must_be(value_of(content))
    text = yaml.safe_dump(
        content, sort_keys=False, default_flow_style=bool(draw.integers(2)), width=int(draw.integers(20, 200))
    )
    text = ("", "---\n", "# a comment: with a colon\n\n", "%YAML 1.1\n---\n")[draw.integers(4)] + text
    text += "\n# the end\n" if draw.integers(2) else ""
    end = "\r\n" if draw.integers(2) else "\n"
    path.write_bytes((b"\xef\xbb\xbf" if draw.integers(3) == 0 else b"") + text.replace("\n", end).encode())
    return must_be(value_of(content))


def anchors(folder: Path, made: Made, draw: Draw) -> Truth:
    path, _ = made
    path.write_text("seed: &number 11\nepochs: *number\n")
    return must_be(value_of({"seed": 11, "epochs": 11}))


def refused(folder: Path, made: Made, draw: Draw) -> Truth:
    """What is no YAML, or no mapping, or would run code."""
    texts = (
        "epochs: [1, 2\n",
        "epochs: 1\nepochs: 2\n",
        "- epochs\n- 1\n",
        "epochs\n",
        "epochs: 'a\n",
        "\tepochs: 1\n",
        "epochs: !!python/object/apply:os.system ['touch stray']\n",
        "epochs: !!python/name:os.system\n",
        "epochs: *nowhere\n",
        "epochs: 1\n---\nepochs: 2\n",
        "epochs: @x\n",
        "a: b: c\n",
    )
    made[0].write_text(texts[draw.integers(len(texts))])
    return MUST_BE_REFUSED


def odd_parts(folder: Path, made: Made, draw: Draw) -> Truth:
    path, content = made
    content = {**content, "train": {"trainer": {"max_epochs": 3}}, "loss#lambda": 1, "network_def": {"_target_": "x"}}
    content = odd_parts_of(content, draw)
    try:
        path.write_bytes(yaml.safe_dump(content, allow_unicode=True).encode("utf-8", "surrogatepass"))
    except yaml.YAMLError:
        write_json(path, content)
    return ANYTHING


def deep(folder: Path, made: Made, draw: Draw) -> Truth:
    made[0].write_text(f"epochs: {deep_json(draw)[:3_000]}")  # PyYAML's time grows with their square
    return MUST_BE_REFUSED


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(value_of(made[1]))),
    Mutation("another form", other_form, 5.0),
    Mutation("anchors", anchors, 0.5),
    Mutation("what is refused", refused, 3.0),
    Mutation("odd parts", odd_parts, 7.0),
    Mutation("thousands of levels", deep, 0.3),
    *on_bytes("file", lambda folder, made, draw: made[0]),
)

READERS = (Reader("overlay", write, MUTATIONS, has_header, read),)
