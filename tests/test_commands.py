from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from common.commands import ROOT, as_word, bundle_command, shown
from common.knobs import parse_command_line


def test_a_command_is_read_back_as_it_was_meant() -> None:
    bundle = ROOT / "bundles" / "glioma_segmentation"
    settings = {"units": [256, 512], "lr": 0.0002, "resume": True, "dataset_dir": Path("/data/my brats"), "fold": 0}
    command = bundle_command(bundle, "training", ["train", "paper"], settings)
    assert command[:4] == ["-m", "monai.bundle", "run", "training"]
    files, read = parse_command_line(shlex.split(shlex.join(command))[2:])
    assert files == [str(bundle / "configs" / f"{name}.yaml") for name in ("train", "paper")]
    told = {"units": [256, 512], "lr": 0.0002, "resume": "true", "dataset_dir": "/data/my brats", "fold": 0}
    assert read == told


def test_one_config_needs_no_list() -> None:
    command = bundle_command(Path("bundle"), "inferring", ["inference"], {})
    assert command[4:] == ["--config_file", str(Path("bundle/configs/inference.yaml")), "--bundle_root", "bundle"]


@pytest.mark.parametrize(
    ("value", "word"), [([64, 64], "[64,64]"), (False, "false"), (2e-4, "0.0002"), ("tanh", "tanh"), (Path("a"), "a")]
)
def test_a_value_becomes_one_word(value: object, word: str) -> None:
    assert as_word(value) == word


def test_a_command_is_shown_from_the_root() -> None:
    assert shown(["-m", str(ROOT / "bundles" / "a.yaml")]) == ["python", "-m", "bundles/a.yaml"]
