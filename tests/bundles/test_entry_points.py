"""The front door, as a person opens it: ``python -m monai.bundle run`` in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from tests.bundles.lifecycle import load
from tests.facts import in_order
from tests.front_door import run_here

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "glioma_segmentation"
GRADE, SURVIVAL = (ROOT / "bundles" / f"glioma_{what}_classification" for what in ("grade", "survival"))
TINY = {"device": "cpu", "folds": 4, "epochs": 1, "batch_size": 4, "crop_size": "[64,64]", "samples_per_epoch": 8}
SMALL = {"device": "cpu", "folds": 4, "epochs": 1, "batch_size": 8, "samples_per_epoch": 8} | {
    "backbone": "test_resnet",
    "image_size": "[64,64]",
}
"""A classifier's training of seconds, on the twenty phantoms of ``classifiable``."""
PATIENCE = 600  # seconds that a process may take, on a busy machine

Finished = subprocess.CompletedProcess[str]


def words(command: str, configs: list[str], options: dict[str, Any]) -> list[str]:
    """The command line after ``python``."""
    files = "[" + ",".join(f"'{config}'" for config in configs) + "]"
    told = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return ["-m", "monai.bundle", "run", command, "--config_file", files, *told]


def run(line: list[str], cwd: Path, program: tuple[str, ...] = (sys.executable,)) -> Finished:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*program, *line]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE)


def ended_well(finished: Finished) -> None:
    assert finished.returncode == 0, finished.stderr[-3000:]


def told_once(finished: Finished) -> str:
    """The one message of a run that a person's mistake ended."""
    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr, finished.stderr
    message = finished.stderr.rstrip().rpartition("\n\n")[2]
    assert finished.stderr.count(message) == 1
    return message


@pytest.fixture
def outside(tmp_path: Path, phantom_dir: Path) -> dict[str, Any]:
    """Everything is written to ``tmp_path``, whatever the bundle's root."""
    return {
        "dataset_dir": phantom_dir,
        "output_dir": tmp_path / "run",
        "weights": tmp_path / "models" / "model.pt",
        **TINY,
    }


def test_from_the_bundle_from_the_root_and_from_elsewhere(classifiable: Path, tmp_path: Path) -> None:
    """Training from the bundle's folder with the bundle's own paths, evaluation from above it, grades from another."""
    bundle, elsewhere = tmp_path / "root" / "bundles" / GRADE.name, tmp_path / "elsewhere"
    shutil.copytree(GRADE, bundle)
    elsewhere.mkdir()
    options = {"dataset_dir": classifiable, "slice_gap": 6, **SMALL}
    ended_well(run(words("training", ["configs/train.yaml"], options), cwd=bundle))
    assert (bundle / "models" / "model.pt").exists()
    assert (bundle / "eval" / "training_config.yaml").exists()
    above = f"bundles/{GRADE.name}"
    configs = [f"{above}/configs/{name}.yaml" for name in ("train", "evaluate")]
    assert not run_here(words("evaluating", configs, {"bundle_root": above, **options}), cwd=tmp_path / "root")
    assert (bundle / "eval" / "report.html").exists()
    known = {name: SMALL[name] for name in ("device", "backbone", "image_size")}
    infer = {"bundle_root": bundle, "dataset_dir": classifiable, **known}
    ended_well(run(words("inferring", [str(bundle / "configs" / "inference.yaml")], infer), cwd=elsewhere))
    rows = pd.read_csv(bundle / "eval" / "predictions" / "predictions.csv")
    assert len(rows) == 20
    assert set(rows["predicted"]) <= {"LGG", "HGG"}
    assert {path.name for path in tmp_path.iterdir()} == {"root", "elsewhere"}
    assert not list(elsewhere.iterdir())


def test_a_mistake_ends_in_one_message(outside: dict[str, Any], tmp_path: Path) -> None:
    told = told_once(run(words("training", ["configs/train.yaml"], {**outside, "epochz": 3}), cwd=BUNDLE))
    assert in_order(told, "KnobError: --epochz: no config of this run defines it", "Did you mean --epochs?")
    assert not (tmp_path / "models").exists()


def test_a_missing_folder_is_told(outside: dict[str, Any], tmp_path: Path) -> None:
    told = run_here(words("run", ["configs/train.yaml"], {**outside, "dataset_dir": "nowhere"}), cwd=BUNDLE)
    assert told.startswith("KnobError: --dataset_dir nowhere: there is no such folder.")
    assert not (tmp_path / "models").exists()


def test_clinical_values_without_a_meaning_are_told_at_once(
    write_weights: Callable[..., Path], classifiable: Path, tmp_path: Path
) -> None:
    options = {
        "dataset_dir": next(classifiable.glob("*/*_001")),
        "checkpoint": write_weights(SURVIVAL.name, backbone="test_resnet"),
        "output_dir": tmp_path / "run",
        "device": "cpu",
        "backbone": "test_resnet",
        "age": "abc",
        "resection": "partial",
    }
    told = run_here(words("inferring", ["configs/inference.yaml"], options), cwd=SURVIVAL)
    assert told.startswith("KnobError: ")
    assert "--age: 'abc'" in told
    assert "--resection: 'partial'" in told
    assert not (tmp_path / "run").exists()


def test_a_mistake_that_shows_while_an_engine_runs_ends_in_one_message(tmp_path: Path) -> None:
    program = tmp_path / "disk_full.py"
    program.write_text(
        "import common, logging\n"
        "from common.errors import OutputError, Problem\n"
        "from monai.engines import SupervisedEvaluator\n"
        "from monai.handlers import StatsHandler\n"
        "import torch\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "def full(item):\n"
        "    raise OutputError(Problem('no space is left to write it', 'model.pt', 'Free some disk space.'))\n"
        "SupervisedEvaluator(\n"
        "    device='cpu', val_data_loader=[{'image': torch.zeros(1, 1)}], network=torch.nn.Identity(),\n"
        "    postprocessing=full, val_handlers=[StatsHandler(iteration_log=False)],\n"
        ").run()\n"
    )
    told = told_once(run([str(program)], cwd=ROOT))
    assert in_order(told, "OutputError: model.pt: no space is left", "Free some disk space.")


def test_a_killed_run_goes_on(outside: dict[str, Any], tmp_path: Path) -> None:
    last = tmp_path / "models" / "model_last.pt"
    line = words("training", ["configs/train.yaml"], {**outside, "epochs": 200})
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, *line], cwd=BUNDLE, env=environment, stderr=subprocess.PIPE) as process:
        wait_for(last.exists, process)
        process.send_signal(signal.SIGKILL)
    reached = torch.load(last, weights_only=True)["epoch"]
    more = {**outside, "epochs": reached + 1, "resume": "true"}
    finished = run(words("training", ["configs/train.yaml"], more), cwd=BUNDLE)
    ended_well(finished)
    assert f"Resuming after epoch {reached} of {reached + 1}" in finished.stderr
    assert torch.load(last, weights_only=True)["epoch"] == reached + 1
    assert not list(last.parent.glob(".writing-*.pt"))[1:]  # at most what the killed process was writing


def test_two_processes_train_one_network(outside: dict[str, Any], tmp_path: Path) -> None:
    train_in_two_processes(BUNDLE, outside, tmp_path)


def test_two_processes_train_one_network_on_images_and_clinical_values(classifiable: Path, tmp_path: Path) -> None:
    """Batch normalisation over patients, which becomes synchronised, included."""
    places = {"output_dir": tmp_path / "run", "weights": tmp_path / "models" / "model.pt"}
    provenance = train_in_two_processes(
        SURVIVAL, {"dataset_dir": classifiable, "slice_gap": 6, **places, **SMALL}, tmp_path
    )
    assert [name.partition(" ")[0] for name in provenance["classes"]] == ["short", "mid", "long"]
    assert provenance["encoder"]["features"] == ["age", "resection"]


def train_in_two_processes(bundle: Path, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """An epoch; returns what the best weights, in ``folder``, say of themselves."""
    line = words("training", ["configs/train.yaml", "configs/multi_gpu_train.yaml"], options)
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    finished = run(line, cwd=bundle, program=torchrun)
    ended_well(finished)
    best = load(folder / "models" / "model.pt")
    assert best["provenance"]["epoch"] == 1
    assert not any(key.startswith("module.") for key in best["model"])
    told = finished.stdout + finished.stderr
    assert told.count("Epoch[1] Metrics") == 1  # the first process alone tells
    assert told.count("Key metric:") == 1
    assert len(list((folder / "run" / "tensorboard").iterdir())) == 1  # and writes
    return best["provenance"]


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Until it happened; the process must not end before."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline, "the run has left no state"
        time.sleep(0.2)
