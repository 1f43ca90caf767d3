"""All six bundles on a GPU: mixed precision, memory, resume, and the CPU's answers.

Skipped where there is no GPU; ``GLIOMA_TEST_DEVICE=cpu`` runs it on the CPU, to try the tests themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Events
from monai.engines.utils import IterationEvents
from PIL import Image

from tests.bundles.lifecycle import interrupt, load

DEVICE = os.environ.get("GLIOMA_TEST_DEVICE", "cuda")
ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., Any]
Weights = dict[str, torch.Tensor]

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="there is no GPU"),
]


@dataclass(frozen=True)
class TrainingCase:
    """A training config of a bundle, and the small run that it is tried with."""

    bundle: str
    cohort: str
    settings: dict[str, Any] = field(default_factory=dict)
    config: str = "train"
    weights: str = "model"


CASES = {
    "segmentation": TrainingCase("glioma_segmentation", "phantom_dir", {"samples_per_epoch": 32}),
    "grade": TrainingCase("glioma_grade_classification", "classifiable"),
    "survival": TrainingCase("glioma_survival_classification", "classifiable"),
    "masks": TrainingCase("glioma_survival_classification", "classifiable", config="train_masks", weights="masks"),
    "tumour": TrainingCase("brain_tumor_classification", "images_dir", {"folds": 3, "samples_per_epoch": None}),
    "volume": TrainingCase(
        "glioma_spatiospatial_classification",
        "classifiable",
        {"backbone": "r3d_18", "volume_size": [16, 16, 16], "volume_spacing": 3, "shortcuts": None, "lr": 0.001},
    ),
    "mgmt": TrainingCase("mgmt_classification", "exported_dir"),
}
SMALL = {"batch_size": 8, "seed": 1, "lr_step": 1, "pretrained": False, "num_workers": 2, "dropout": 0.0}
"""Without dropout, which draws other masks in another precision."""


@pytest.fixture(scope="session")
def exported_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen patients of RSNA-MICCAI's layout with slices exported to PNG, which need no ITK."""
    folder, rng = tmp_path_factory.mktemp("exported"), np.random.default_rng(0)
    for patient in range(16):
        for series in ("FLAIR", "T1w", "T1wCE", "T2w"):
            place = folder / "train" / f"{patient:05d}" / series
            place.mkdir(parents=True)
            for number in range(8):
                Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(place / f"Image-{number}.png")
    table = pd.DataFrame({"BraTS21ID": [f"{patient:05d}" for patient in range(16)], "MGMT_value": [0, 1] * 8})
    table.to_csv(folder / "train_labels.csv", index=False)
    return folder


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> TrainingCase:
    return CASES[request.param]


@pytest.fixture(scope="module")
def begin(request: pytest.FixtureRequest, start: Start, case: TrainingCase) -> Start:
    """Like ``start``, for this case: ``begin(folder, "evaluate", amp=False)``."""

    def begin(folder: Path, *overlays: str, device: str = DEVICE, **settings: Any) -> Any:
        from monai.bundle import ConfigParser

        configs = (case.config, *overlays)
        root = ROOT / "bundles" / case.bundle / "configs"
        known = ConfigParser.load_config_files([str(root / f"{name}.yaml") for name in configs])
        small = {name: value for name, value in SMALL.items() if name in known}
        cohort = str(request.getfixturevalue(case.cohort))
        given = {"dataset_dir": cohort, **small, **case.settings, "device": device, **settings}
        return start(folder, *configs, bundle=case.bundle, **given)

    return begin


@pytest.fixture(autouse=True, scope="module")
def deterministic() -> Iterator[None]:
    """cuDNN's deterministic algorithms in whole float32, so that what differs is our doing."""
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        yield


@dataclass
class Watched:
    """What a training run shows from outside: losses a step, devices of what is computed with, memory an epoch."""

    losses: list[float] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    megabytes: list[float] = field(default_factory=list)


def watch(workflow: Any) -> Watched:
    """Attach to a training workflow before it runs."""
    watched, trainer = Watched(), workflow.trainer

    def note_input(_: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = [*inputs, *named.values()]
        watched.devices.update(value.device.type for value in given if isinstance(value, torch.Tensor))

    def note_loss(engine: Any) -> None:
        output = engine.state.output
        watched.losses.append(output["loss"].item())
        watched.devices.update(value.device.type for value in output.values() if isinstance(value, torch.Tensor))

    def note_memory(_: Any) -> None:
        watched.megabytes.append(torch.cuda.memory_allocated() / 1e6)

    trainer.network.register_forward_pre_hook(note_input, with_kwargs=True)
    trainer.add_event_handler(IterationEvents.LOSS_COMPLETED, note_loss)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, note_memory)
    return watched


@pytest.fixture(scope="module")
def trained(begin: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watched]:
    """A run of four epochs in mixed precision."""
    folder = tmp_path_factory.mktemp("mixed")
    workflow = begin(folder, epochs=4, amp=True)
    watched = watch(workflow)
    before = {name: value.detach().cpu().clone() for name, value in workflow.trainer.network.named_parameters()}
    workflow.run()
    after = workflow.trainer.network.named_parameters()
    assert any(not torch.equal(before[name], value.detach().cpu()) for name, value in after)
    return folder, watched


def test_losses_are_finite_and_all_is_computed_there(trained: tuple[Path, Watched]) -> None:
    _, watched = trained
    assert watched.losses
    assert np.isfinite(watched.losses).all()
    assert watched.devices == {DEVICE}


def test_memory_stays_flat_over_epochs(trained: tuple[Path, Watched]) -> None:
    megabytes = trained[1].megabytes
    assert len(megabytes) == 4
    assert megabytes[-1] <= megabytes[1] * 1.02 + 1


def test_mixed_precision_starts_with_the_same_loss(begin: Start, trained: tuple[Path, Watched], tmp_path: Path) -> None:
    workflow = begin(tmp_path, epochs=1, amp=False)
    watched = watch(workflow)
    workflow.run()
    tell(f"first losses: mixed {trained[1].losses[0]:.5f}, full {watched.losses[0]:.5f}")
    assert trained[1].losses[0] == pytest.approx(watched.losses[0], rel=0.02)


def test_a_resumed_run_equals_an_unbroken_one(begin: Start, case: TrainingCase, tmp_path: Path) -> None:
    """As closely as two unbroken runs equal each other.

    Learning is slow here: with the default rate a rounding error of 1e-7 in the first weights changes a running
    variance of the U-Net by 0.8 within eight steps, as much as other samples would.
    """
    slow = {"epochs": 2, "amp": False, "lr": 1e-5}
    ends: list[Weights] = []
    for name in ("one", "other"):
        begin(tmp_path / name, **slow).run()
        ends.append(last_weights(tmp_path / name, case))
    broken = begin(tmp_path / "broken", **slow)
    interrupt(broken, len(broken.trainer.data_loader) + 1)
    begin(tmp_path / "broken", **slow, resume="true").run()
    noise = largest_difference(*ends)
    difference = largest_difference(ends[0], last_weights(tmp_path / "broken", case))
    tell(f"two unbroken runs differ by {noise:.2e}, the resumed one by {difference:.2e}")
    assert difference <= 3 * noise + 0.01


def test_the_scaler_of_mixed_precision_is_resumed(
    begin: Start, case: TrainingCase, trained: tuple[Path, Watched]
) -> None:
    folder, _ = trained
    workflow = begin(folder, epochs=5, amp=True, resume="true")
    workflow.run()
    state = load(folder / "models" / f"{case.weights}_last.pt")
    assert state["epoch"] == 5
    assert state["scaler"] or DEVICE == "cpu"


@pytest.mark.parametrize(("amp", "tolerance"), [(False, 1e-3), (True, 2e-2)])
def test_an_evaluation_equals_the_one_on_the_cpu(
    begin: Start, case: TrainingCase, trained: tuple[Path, Watched], amp: bool, tolerance: float, tmp_path: Path
) -> None:
    weights = str(trained[0] / "models" / f"{case.weights}.pt")
    found = {}
    for device in (DEVICE, "cpu"):
        places = {"weights": weights, "output_dir": str(tmp_path / device)}
        workflow = begin(trained[0], "evaluate", device=device, amp=amp and device != "cpu", **places)
        found[device] = probabilities(workflow)
    assert found["cpu"].keys() == found[DEVICE].keys()
    largest = max(float((found["cpu"][key] - found[DEVICE][key]).abs().max()) for key in found["cpu"])
    tell(f"largest difference of a probability: {largest:.2e}")
    assert largest <= tolerance


def test_torchrun_trains_with_one_process(
    request: pytest.FixtureRequest, case: TrainingCase, tiny: dict[str, Any], tmp_path: Path
) -> None:
    """With nccl, synchronised batch normalisation and DistributedDataParallel."""
    configs = ROOT / "bundles" / case.bundle / "configs"
    places = {"output_dir": tmp_path / "eval", "weights": tmp_path / "models" / "model.pt", "bundle_root": tmp_path}
    known = (configs / f"{case.config}.yaml").read_text()
    chosen = {**tiny, **SMALL}
    small = {name: value for name, value in chosen.items() if f"\n{name}:" in known and name != "device"}
    options = {"dataset_dir": request.getfixturevalue(case.cohort), **small, **case.settings, **places}
    files = f"['{configs / case.config}.yaml','{configs / 'multi_gpu_train.yaml'}']"
    line = ["training", "--config_file", files]
    for name, value in options.items():
        line += [f"--{name}", str(value)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1"]
    finished = subprocess.run(
        [*torchrun, "-m", "monai.bundle", "run", *line], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    best = load(tmp_path / "models" / "model.pt")
    assert not any(key.startswith("module.") for key in best["model"])


def tell(line: str) -> None:
    """What was measured, for the record that ``GLIOMA_GPU_RECORD`` names."""
    record = os.environ.get("GLIOMA_GPU_RECORD")
    if record:
        with Path(record).open("a", encoding="utf-8") as file:
            file.write(f"{os.environ['PYTEST_CURRENT_TEST'].split('::')[-1]}: {line}\n")


def last_weights(folder: Path, case: TrainingCase) -> Weights:
    return load(folder / "models" / f"{case.weights}_last.pt")["model"]


def largest_difference(one: Weights, other: Weights) -> float:
    return max(float((one[key].double() - other[key].double()).abs().max()) for key in one)


def probabilities(workflow: Any) -> dict[str, torch.Tensor]:
    """What an evaluation finds for each item, by the order of the items."""
    found: dict[str, torch.Tensor] = {}

    def keep(engine: Any) -> None:
        for output in engine.state.output:
            found[str(len(found))] = torch.as_tensor(output["pred"]).float().softmax(dim=0).cpu()

    workflow.evaluator.add_event_handler(Events.ITERATION_COMPLETED, keep)
    workflow.run()
    return found
