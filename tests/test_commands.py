from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from common.commands import ROOT, as_word, bundle_command, run_to_end, shown
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
    ("value", "word"),
    [([64, 64], "[64,64]"), (False, "false"), (2e-4, "0.0002"), ("tanh", "tanh"), (Path("a"), "a"), (None, "$None")],
)
def test_a_value_becomes_one_word(value: object, word: str) -> None:
    assert as_word(value) == word


def test_a_command_is_shown_from_the_root() -> None:
    assert shown(["-m", str(ROOT / "bundles" / "a.yaml")]) == ["python", "-m", "bundles/a.yaml"]


PARENT = """
import sys
from common.commands import run_to_end
run_to_end([sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a program whose parent was killed")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_process_has_started_ends_with_it(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "begun"
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(number)
    process.wait(10)
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_program_that_runs_to_its_end_gives_its_output_and_code() -> None:
    done = run_to_end([sys.executable, "-c", "print(1); raise SystemExit(3)"], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("1\n", 3)
