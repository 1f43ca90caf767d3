from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from common.runs import processes
from scripts import reproduce
from tests.front_door import run_here
from tests.once import make_once
from tests.scripts.papers.short_forms import COHORTS, SHORT_FORMS, Make
from tests.short_reports import shorten_reports


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Gives the command of a table: ``make("p5")`` is its folder and the content of ``table.json``."""
    from monai.bundle import ConfigParser

    import common.handlers
    import common.networks
    import common.transforms  # noqa: F401

    tables = tmp_path_factory.mktemp("tables")

    def cohort(name: str) -> str:
        return str(make_once(tmp_path_factory, f"papers_{name}", COHORTS[name]))

    def make(table: str) -> tuple[Path, dict[str, Any]]:
        form = SHORT_FORMS[table]
        folder = tables / (form.runs or table)
        healthy = ["--healthy_dir", cohort(form.healthy)] if form.healthy else []
        knobs = [word for knob in form.knobs for word in ("--set", knob)]
        line = [table, "--dataset_dir", cohort(form.cohort), *healthy, "--output", str(folder), "--task", form.task]
        line += ["--columns", *form.columns, *(["--repeats", str(form.repeats)] if form.repeats else [])]
        line += ["--rows", *form.rows] if form.rows else []
        assert reproduce.main([*line, "--device", "cpu", *knobs]) == 0
        return folder, json.loads((folder / "table.json").read_text(encoding="utf-8"))

    read = cache(ConfigParser.load_config_file)  # which takes a third of a second each time
    with small_networks() as patch, shorten_reports(shuffles=20):
        patch.setattr(ConfigParser, "load_config_file", staticmethod(lambda path, **_: deepcopy(read(path))))
        patch.setattr(processes, "start_process", start)
        gc.freeze()  # what is imported stays anyway; to look through it takes a third of a second each time
        yield make
        gc.unfreeze()


def start(command: Sequence[str], log: Path) -> int:
    """Run a command in this process; the pictures of its report stay blank, those of the papers are drawn."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "draw", lambda *_: None)
        error = run_here(command, reproduce.ROOT)
    gc.collect()  # a workflow is a circle of references with a network in it
    log.write_text(error, encoding="utf-8")
    return int(bool(error))


@contextmanager
def small_networks() -> Iterator[pytest.MonkeyPatch]:
    """Whatever backbone is asked for, a small one is made, until the end of the block.

    Tables set their backbones themselves; that these can be made and loaded is tested with the networks.
    """
    import timm
    from torch import nn

    from common.networks import spatiospatial
    from common.networks.video_backbones import WIDTH

    create = timm.create_model

    def small(_: str, **settings: Any) -> Any:
        return create("test_resnet", **settings)

    def small_video(_: str, in_channels: int, __: bool | str = False) -> Any:
        return nn.Sequential(nn.Conv3d(in_channels, WIDTH, 3, stride=4, padding=1), nn.ReLU())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", small)
        patch.setattr(spatiospatial, "create_video_backbone", small_video)
        yield patch
