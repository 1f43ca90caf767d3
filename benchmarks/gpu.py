"""Times on a GPU: steps of the networks, epochs of our trainers, and one patient from files to label map.

python benchmarks/gpu.py --cohort <BraTS folder> [--only steps epochs patient]

Each row goes to ``benchmarks/gpu.json`` as soon as it is measured, and in the end all of them to the page.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

import torch  # noqa: E402
from monai.bundle import ConfigWorkflow  # noqa: E402
from monai.losses import DiceCELoss  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from benchmarks.bundle import NEVER, open_bundle  # noqa: E402
from benchmarks.table import replace_gpu_section  # noqa: E402
from common.files import write_json, write_text  # noqa: E402
from common.networks import BatchCrossEntropy, SegmentationUNet, SpatioSpatialClassifier  # noqa: E402
from common.networks.video_backbones import PUBLISHED  # noqa: E402
from common.phantoms.layouts.brats2020 import make_brats_phantoms  # noqa: E402

PARTS = ("steps", "epochs", "patient")
RESULTS = FOLDER / "gpu.json"
SLICES, VOLUMES = (16, 4, 160, 192), (4, 1, 80, 96, 80)
WARM_UP, STEPS = 6, 24
WORKERS = (0, 4, 8, 12)
EPOCH_STEPS = 60


@dataclass(frozen=True)
class Setting:
    """How a training step is computed.

    Args:
        precision: of autocast; ``None`` for fp32.
        channels_last: memory format of the weights.
        tuned: cuDNN chooses its algorithms by trial.
        fused: Adam in one kernel.
        compiled: by ``torch.compile``.
    """

    precision: torch.dtype | None = None
    channels_last: bool = False
    tuned: bool = False  # cuDNN tries its algorithms
    fused: bool = False  # Adam in one kernel
    compiled: bool = False

    def __str__(self) -> str:
        words = {None: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[self.precision]
        on = {"channels last": self.channels_last, "cudnn.benchmark": self.tuned, "fused Adam": self.fused}
        return ", ".join([words, *(name for name, is_on in {**on, "torch.compile": self.compiled}.items() if is_on)])


HALF = torch.float16
SETTINGS = (
    Setting(),
    Setting(torch.bfloat16),
    Setting(HALF),
    Setting(HALF, channels_last=True),
    Setting(torch.bfloat16, channels_last=True),
    Setting(HALF, channels_last=True, tuned=True),
    Setting(HALF, channels_last=True, tuned=True, fused=True),
    Setting(HALF, tuned=True),
)
COMPILED = Setting(HALF, channels_last=True, tuned=True, fused=True, compiled=True)


def main(argv: list[str] | None = None) -> int:
    """Measure and write; without a GPU, say so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, required=True, help="a BraTS folder, or phantoms of full size")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts alone")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the rows go")
    parser.add_argument("--device", default="cuda", help="cpu only tests this program; its numbers mean nothing")
    arguments = parser.parse_args(argv)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("No GPU is visible: nothing was measured.", file=sys.stderr)
        return 1
    rows = Rows(arguments.output, arguments.device)
    measures = {"steps": measure_steps, "epochs": measure_epochs, "patient": measure_patient}
    for part in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            measures[part](rows, arguments.device, arguments.cohort, Path(folder))
    if arguments.output == RESULTS:
        page = FOLDER / "README.md"
        write_text(page, replace_gpu_section(page.read_text(encoding="utf-8"), rows.rows))
    return 0


class Rows:
    """The rows measured so far, written at once and printed."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self.rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if device == "cuda":
            self.rows["card"] = torch.cuda.get_device_name()
            self.rows["torch"] = torch.__version__
        self.begun = time.perf_counter()

    def add(self, part: str, name: str, **values: float) -> None:
        """A row of a part."""
        rounded = {key: float(f"{value:.4g}") for key, value in values.items()}
        self.rows.setdefault(part, {})[name] = rounded
        write_json(self.path, self.rows)
        print(f"[{time.perf_counter() - self.begun:6.1f} s] {part}: {name}: {rounded}", flush=True)


def measure_steps(rows: Rows, device: str, *_: Path) -> None:
    """Samples per second and memory of bare steps, on tensors that are on the device already."""
    networks: dict[str, tuple[Callable[[bool], nn.Module], tuple[int, ...]]] = {
        "U-Net": (lambda last: SegmentationUNet(channels_last=last), SLICES),
        **{
            name: (lambda last, name=name: SpatioSpatialClassifier(name, channels_last=last), VOLUMES)  # type: ignore[misc]
            for name in PUBLISHED
        },
    }
    for name, (make, shape) in networks.items():
        for setting in SETTINGS:
            rows.add("steps", f"{name}, {setting}", **time_steps(make, shape, setting, device))
    for name in ("U-Net", "mc3_18"):
        make, shape = networks[name]
        rows.add("steps", f"{name}, {COMPILED}", **time_steps(make, shape, COMPILED, device))


def time_steps(
    make: Callable[[bool], nn.Module], shape: tuple[int, ...], setting: Setting, device: str
) -> dict[str, float]:
    """Forward pass, loss, backward pass and Adam.

    Args:
        make: makes a network; its argument is whether its weights are channels-last.
        shape: of a batch of images.
        setting: how a step is computed.
        device: ``cpu`` or ``cuda``.

    Returns:
        Samples per second and memory, by name.
    """
    torch.backends.cudnn.benchmark = setting.tuned
    torch.manual_seed(0)
    network = make(setting.channels_last).to(device).train()
    image = torch.rand(shape, device=device)
    loss_function, label = loss_and_label(shape, device)
    optimizer = torch.optim.Adam(network.parameters(), fused=setting.fused)
    scaler = torch.amp.GradScaler(device, enabled=setting.precision is HALF)
    forward = torch.compile(network) if setting.compiled else network
    begun = time.perf_counter()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = 0.0
    for step in range(WARM_UP + STEPS):
        if step in (1, WARM_UP):
            synchronise(device)
            started = started or time.perf_counter() - begun
            begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=setting.precision or HALF, enabled=setting.precision is not None):
            loss = loss_function(forward(image), label)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    synchronise(device)
    seconds = (time.perf_counter() - begun) / STEPS
    torch.backends.cudnn.benchmark = False
    gigabytes = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0
    return {"per_second": shape[0] / seconds, "first_step_s": started, "gigabytes": gigabytes}


def loss_and_label(shape: tuple[int, ...], device: str) -> tuple[nn.Module, Tensor]:
    """Those of the bundles.

    Returns:
        The loss and a batch of labels.
    """
    if len(shape) == 4:
        label = torch.randint(0, 4, (shape[0], 1, *shape[2:]), device=device)
        return DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True), label
    return BatchCrossEntropy(torch.ones(3)).to(device), torch.arange(shape[0], device=device) % 3


def measure_epochs(rows: Rows, device: str, cohort: Path, folder: Path) -> None:
    """Our trainers on slices and on volumes of a warm cache, by the number of loader processes.

    Args:
        rows: that are extended.
        device: ``cpu`` or ``cuda``.
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
    """
    small = make_brats_phantoms(folder / "phantoms", patients=20, shape=(48, 48, 40))
    slices = {"samples_per_epoch": EPOCH_STEPS * SLICES[0]}
    volumes = {"samples_per_epoch": EPOCH_STEPS * VOLUMES[0], "batch_size": VOLUMES[0], "shortcuts": None}
    for workers in WORKERS:
        for bundle, data, knobs in (
            ("glioma_segmentation", cohort, slices),
            ("glioma_spatiospatial_classification", small, volumes),
        ):
            place = folder / f"{bundle}_{workers}"
            places = {"dataset_dir": str(data), "cache_dir": str(folder / "cache"), "weights": str(place / "best.pt")}
            learning = {"val_interval": NEVER, "epochs": NEVER, "num_workers": workers, "folds": 4}
            workflow = open_bundle(bundle, "train", place, device, **places, **learning, **knobs)
            rows.add(
                "epochs", f"{bundle}, {workers} workers", **time_epochs(workflow, device, knobs["samples_per_epoch"])
            )


def time_epochs(workflow: ConfigWorkflow, device: str, samples: int) -> dict[str, float]:
    """Samples per second of the median of two epochs after a first one, and how busy the GPU was.

    Args:
        workflow: a training.
        device: ``cpu`` or ``cuda``.
        samples: of an epoch.

    Returns:
        The numbers by name.
    """
    trainer = workflow.parser.get_parsed_content("train#trainer")
    seconds: list[float] = []
    with watched_gpu() as busy, silence():
        for _ in range(3):
            begun = time.perf_counter()
            trainer.state.max_epochs = trainer.state.epoch + 1
            trainer.run()
            synchronise(device)
            seconds.append(time.perf_counter() - begun)
    return {"per_second": samples / median(seconds[1:]), "gpu_busy_percent": mean(busy or [0])}


def measure_patient(rows: Rows, device: str, cohort: Path, folder: Path) -> None:
    """From four files to a label map, in parts; the model zoo's SegResNet on the same tensors beside it.

    Args:
        rows: that are extended.
        device: ``cpu`` or ``cuda``.
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
    """
    checkpoint = folder / "model.pt"
    torch.save({"model": SegmentationUNet().state_dict(), "provenance": {}}, checkpoint)
    patient = next(path.parent for path in sorted(cohort.rglob("*_flair.nii.gz")))
    places = {"dataset_dir": str(patient), "checkpoint": str(checkpoint), "overwrite": True}
    workflow = open_bundle("glioma_segmentation", "inference", folder, device, **places)
    part = workflow.parser.get_parsed_content
    dataset, inferer, postprocessing = part("dataset"), part("inferer"), part("postprocessing")
    network = part("network").eval()
    zoo = zoo_network().to(device).eval()
    times: dict[str, list[float]] = {}

    def timed(name: str, function: Callable[..., Any], *given: Any) -> Any:
        begun = time.perf_counter()
        result = function(*given)
        synchronise(device)
        times.setdefault(name, []).append(time.perf_counter() - begun)
        return result

    for _ in range(4):
        item = timed("read and prepare", dataset.__getitem__, 0)
        image = timed("to the device", item["image"].as_tensor()[None].to, device)
        with torch.no_grad(), torch.autocast(device, enabled=device == "cuda"):
            logits = timed("forward passes", inferer, image, network)
            timed("SegResNet of the model zoo, forward pass", zoo, zoo_input(image))
        timed("label map and file", postprocessing, {**item, "pred": logits[0]})
    for name, seconds in times.items():
        rows.add("patient", name, seconds=median(seconds[1:]))


def zoo_network() -> nn.Module:
    """The network of the model zoo's brats_mri_segmentation, with random weights."""
    from monai.networks.nets import SegResNet

    return SegResNet(init_filters=16, in_channels=4, out_channels=3, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1))


def zoo_input(image: Tensor) -> Tensor:
    """Padded to multiples of 8, which that network needs."""
    missing = [-side % 8 for side in image.shape[2:]]
    return nn.functional.pad(image, [0, missing[2], 0, missing[1], 0, missing[0]])


def synchronise(device: str) -> None:
    """Wait until all is computed."""
    if device == "cuda":
        torch.cuda.synchronize()


@contextlib.contextmanager
def watched_gpu() -> Iterator[list[float]]:
    """Percent of the time in which the GPU computed, sampled four times per second; empty without nvidia-smi."""
    busy: list[float] = []
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "250"]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    except OSError:
        yield busy
        return
    reader = threading.Thread(target=lambda: busy.extend(float(line) for line in process.stdout or ()), daemon=True)
    reader.start()
    try:
        yield busy
    finally:
        process.terminate()
        reader.join(timeout=5)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Suppress progress bars and logs."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


if __name__ == "__main__":
    raise SystemExit(main())
