"""Code in files that hold settings or numbers is not run. Of checkpoints, see tests/networks/weights."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from monai.bundle import ConfigParser

from common.networks.weights.pretraining import load_safely
from common.transforms import LoadPictured

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.victim}'",)


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {victim}']",
        "!!python/object/new:subprocess.Popen [['touch', '{victim}']]",
        "!!python/name:os.system",
        "!!python/module:os",
    ],
)
def test_python_in_an_overlay(tmp_path: Path, tag: str) -> None:
    victim, overlay = tmp_path / "victim", tmp_path / "overlay.yaml"
    overlay.write_text(f"epochs: {tag.format(victim=victim)}\n")
    files = [str(BUNDLES / "glioma_segmentation" / "configs" / "train.yaml"), str(overlay)]
    with pytest.raises(yaml.constructor.ConstructorError, match="could not determine a constructor"):
        ConfigParser.load_config_files(files)
    assert not victim.exists()


def test_a_pickle_in_the_cache(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    np.save(tmp_path / "image.npy", np.array([Payload(victim)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        LoadPictured()({"cached": str(tmp_path / "image.npy")})
    assert not victim.exists()


def test_a_pickle_that_is_called_safetensors(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Payload(victim)))
    with pytest.raises(Exception, match="cannot be read"):
        load_safely(path, "resnet18")
    assert not victim.exists()
