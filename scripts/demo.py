"""The main jobs on phantoms: make cohorts, check them, train each bundle, evaluate on held-out patients, infer.

Every step is a command that a user can type; it is printed before it runs.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shlex
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from typing import Any

from common.commands import ROOT, bundle_command, ending_with_parent, shown
from common.reports.knob_tables import read_knobs
from common.tasks.registry import task_of_bundle

Step = tuple[str, list[str]]

LOG, INDEX = "demo.log", "index.html"
LAST_LINES = 25
"""Of a command that fails."""

UP = "\x1b[A"
"""How a bar above another one begins its line again, after blanks."""

BAR = re.compile(r"\d+%\|| \d+%.*\[\d\d:\d\d<")
"""A progress bar."""

OURS = re.compile(r"^\d\d:\d\d:\d\d (INFO|WARNING|ERROR) |INFO - Epoch\[\d+\] Metrics|Error: ")
"""Our own log lines, the measures after an epoch, and errors; MONAI's lines begin with a date."""


@dataclass(frozen=True)
class Cohort:
    """A cohort of phantoms; the fields are options of ``make_phantoms.py``.

    Args:
        name: of its folder.
        layout: of ``make_phantoms.py``.
        patients: how many.
        shape: voxels of a volume.
        options: further options of ``make_phantoms.py``.
        is_checked: whether ``check_dataset.py`` runs on it.
    """

    name: str
    layout: str
    patients: int
    shape: tuple[str, str, str]
    options: tuple[str, ...] = ()
    is_checked: bool = True


@dataclass(frozen=True)
class Job:
    """A network that is trained, judged and applied.

    Args:
        bundle: name of its folder.
        cohort: that it is trained on.
        train: its training config.
        inference: its inference config.
        knobs: of training, evaluation and, where they are known there, inference.
        learning: of training alone.
        applying: of inference alone.
        healthy: a second cohort, of people without a tumour.
        allowed: what the rule of the phantoms allows, in words.
    """

    bundle: str
    cohort: Cohort
    train: str
    inference: str
    knobs: Mapping[str, str]
    learning: Mapping[str, str]
    applying: Mapping[str, str] = field(default_factory=dict)
    healthy: Cohort | None = None
    allowed: Callable[[], str] = str


FEW = Cohort("phantoms", "brats2020", 20, ("64", "64", "48"))
MANY = Cohort("small_phantoms", "brats2020", 360, ("48", "48", "40"), ("--lgg-clinical",), is_checked=False)
SLICES = Cohort("slice_phantoms", "br35h", 240, ("100", "100", "100"), ("--copies", "1"))
SERIES = Cohort("series_phantoms", "rsna_miccai", 48, ("48", "48", "16"))
HEALTHY = Cohort("healthy_phantoms", "ixi", 80, ("48", "48", "40"), is_checked=False)
COHORTS = {"volumes": MANY, "people": MANY, "images": SLICES, "series": SERIES}
"""What a bundle is shown on, by the kind of cohort that its task is learned from."""


def allow_all() -> str:
    """Of labels that the tumour shows."""
    return "the whole tumour allows 1, chance .5"


def allow_chance() -> str:
    """Of labels that nothing shows."""
    return "the labels are random, so .5 is correct"


def allow_survival() -> str:
    """Of survival that depends on the mask, the age, and noise."""
    from common.phantoms.limits import best_concordance

    return f"mask and age allow {best_concordance(('volume', 'age')):.2f}, chance .5"


TUNED = (
    Job(
        bundle="glioma_segmentation",
        cohort=FEW,
        train="train",
        inference="inference",
        knobs={},
        learning={
            "crop_size": "[64,64]",
            "batch_size": "8",
            "samples_per_epoch": "320",
            "epochs": "8",
            "lr_step": "5",
        },
        applying={"pictures": "true"},
    ),
    Job(
        bundle="glioma_grade_classification",
        cohort=MANY,
        train="train",
        inference="inference",
        knobs={"image_size": "[64,64]", "slice_gap": "8"},
        learning={"epochs": "7", "lr_step": "5"},
        applying={"image_size": "[64,64]", "gradcam": "true"},
        allowed=allow_all,
    ),
    Job(
        bundle="glioma_survival_classification",
        cohort=MANY,
        train="train_masks",
        inference="inference_masks",
        knobs={"image_size": "[48,48]", "backbone": "resnet18"},
        learning={"epochs": "6", "lr": "0.0005", "lr_step": "4", "samples_per_epoch": "1280"},
        applying={"image_size": "[48,48]", "backbone": "resnet18"},
        allowed=allow_survival,
    ),
    Job(
        bundle="brain_tumor_classification",
        cohort=SLICES,
        train="train",
        inference="inference",
        knobs={"image_size": "[64,64]"},
        learning={"epochs": "14", "lr": "0.002", "dropout": "0.1"},
        applying={"image_size": "[64,64]", "gradcam": "true"},
        allowed=allow_all,
    ),
    Job(
        bundle="mgmt_classification",
        cohort=SERIES,
        train="train",
        inference="inference",
        knobs={"image_size": "[64,64]", "slices_per_patient": "4", "folds": "3"},
        learning={"epochs": "3"},
        applying={"image_size": "[64,64]", "gradcam": "true"},
        allowed=allow_chance,
    ),
    Job(
        bundle="glioma_spatiospatial_classification",
        cohort=MANY,
        healthy=HEALTHY,
        train="train",
        inference="inference",
        knobs={"volume_size": "[24,24,24]", "backbone": "r3d_10", "inference_batch_size": "16"},
        learning={"epochs": "4", "lr": "0.0003", "lr_step": "3", "batch_size": "8"},
        applying={"volume_size": "[24,24,24]", "backbone": "r3d_10", "gradcam": "true"},
    ),
)
"""Jobs whose settings let the network learn something within minutes."""

SMALL = {"image_size": "[64,64]", "slice_gap": "8", "slices_per_patient": "4", "volume_size": "[24,24,24]"}


def plain_job(bundle: Path) -> Job:
    """Of a bundle that no job is tuned for: an epoch on small phantoms."""
    task = task_of_bundle(bundle.name)
    kind = task.cohort if task else "volumes"
    train, inference = (
        {name: value for name, value in SMALL.items() if name in {knob.name for knob in read_knobs(path)}}
        for path in (bundle / "configs" / "train.yaml", bundle / "configs" / "inference.yaml")
    )
    healthy = HEALTHY if kind == "people" else None
    return Job(bundle.name, COHORTS[kind], "train", "inference", train, {"epochs": "1"}, inference, healthy)


def list_jobs(bundles: Path) -> list[Job]:
    """A job for every bundle of a folder, the tuned ones first."""
    folders = {path.parents[1].name: path.parents[1] for path in sorted(bundles.glob("*/configs/train.yaml"))}
    tuned = [job for job in TUNED if job.bundle in folders]
    others = folders.keys() - {job.bundle for job in tuned}
    return [*tuned, *(plain_job(folders[name]) for name in sorted(others))]


JOBS = list_jobs(ROOT / "bundles")


def main(argv: list[str] | None = None) -> int:
    """Run all steps; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "demo", help="where data and results go (default: demo)")
    names = [job.bundle for job in JOBS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these bundles alone")
    arguments = parser.parse_args(argv)
    folder = arguments.output.resolve()
    if folder.exists() and not folder.is_dir():
        parser.error(f"--output: {folder} is a file, not a folder")
    jobs = [job for job in JOBS if job.bundle in arguments.only]
    for name in {*(job.bundle for job in jobs), *(cohort.name for cohort in cohorts_of(jobs)), "cache"}:
        shutil.rmtree(folder / name, ignore_errors=True)
    os.environ.setdefault("OMP_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
    os.environ["GLIOMA_CACHE_DIR"] = str(folder / "cache")

    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    log.unlink(missing_ok=True)
    begun = time.monotonic()
    for title, command in steps(folder, jobs):
        print(f"\n=== {title}\n$ {shlex.join(shown(command))}", flush=True)
        code = run_step(command, log)
        if code:
            print(f"\nThe demo stopped at: {title}\nThe whole output: {log}", file=sys.stderr)
            return code
    print(closing(folder, jobs, time.monotonic() - begun))
    return 0


def run_step(command: list[str], log: Path) -> int:
    """Run a command; returns its exit code.

    All that it prints goes to the log, what a person should see to the terminal too: results, our own messages and the
    measures of each epoch, but no notices and configs of MONAI; progress bars share one line of a terminal. If it
    fails, its last lines.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    with log.open("a", encoding="utf-8") as file:
        print(f"\n$ {shlex.join(shown(command))}", file=file, flush=True)
        words = [sys.executable, *command]
        with Popen(words, cwd=ROOT, stdout=PIPE, stderr=STDOUT, **ending_with_parent()) as process:
            assert process.stdout is not None
            # A bar overwrites its line by a carriage return, which ends a line here as well.
            for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace", newline=""):
                file.write(line)
                text = line.rstrip("\r\n").rpartition(UP)[2].rstrip()
                if BAR.search(text):
                    show_bar(text)
                elif line != "\r":
                    last.append(text)
                    if matters(text, is_training="-m" in command[:1]):
                        print(f"{clear_line()}{text}", flush=True)
    if process.returncode:
        print(*last, sep="\n", file=sys.stderr)
    return process.returncode


def show_bar(text: str) -> None:
    """Show how far a command is, in the last line of a terminal; elsewhere not at all."""
    if sys.stdout.isatty():
        print(f"{clear_line()}{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)


def clear_line() -> str:
    """What removes a bar from a terminal."""
    return "\r\x1b[K" if sys.stdout.isatty() else ""


def matters(line: str, is_training: bool) -> bool:
    """Whether a person should see a line of a command's output.

    Args:
        line: without its end, and no progress bar.
        is_training: whether the command is one of MONAI's, which says much beside ours.
    """
    return bool(OURS.search(line)) if is_training else True


def steps(folder: Path, jobs: list[Job]) -> Iterator[Step]:
    """Title and command (of the Python interpreter) of each step, made when the step begins."""
    there: set[str] = set()
    for job in jobs:
        for cohort in cohorts_of([job]):  # when it is needed: the first result should not wait for all of them
            if cohort.name not in there:
                yield from steps_of_cohort(cohort, folder)
            there.add(cohort.name)
        yield from steps_of(job, folder)


def steps_of_cohort(cohort: Cohort, folder: Path) -> Iterator[Step]:
    """Make it, and check it."""
    data = str(folder / cohort.name)
    made = [cohort.layout, data, "--patients", str(cohort.patients), "--shape", *cohort.shape, *cohort.options]
    yield "A cohort of phantoms: generated images, no patients", ["scripts/make_phantoms.py", *made]
    if cohort.is_checked:
        yield "What is in it, and what predicts the label without the tumour", ["scripts/check_dataset.py", data]


def cohorts_of(jobs: list[Job]) -> list[Cohort]:
    """What the jobs need, each once."""
    return [*dict.fromkeys(cohort for job in jobs for cohort in (job.cohort, job.healthy) if cohort)]


def steps_of(job: Job, folder: Path) -> Iterator[Step]:
    """Train, evaluate, and apply to one of the patients who were held out."""
    bundle, data, run = ROOT / "bundles" / job.bundle, folder / job.cohort.name, folder / job.bundle
    weights = str(run / "models" / "model.pt")
    common = {"dataset_dir": str(data), "output_dir": str(run / "eval"), "weights": weights, **job.knobs}
    if job.healthy:
        common["healthy_dir"] = str(folder / job.healthy.name)
    name = job.bundle.replace("_", " ")
    learning = {**common, **job.learning, "overwrite": "true"}
    yield f"{name}: train on some of the patients", bundle_command(bundle, "training", [job.train], learning)
    yield f"{name}: judge on others", bundle_command(bundle, "evaluating", [job.train, "evaluate"], common)
    tested = json.loads((run / "eval" / "split.json").read_text(encoding="utf-8"))["test"]
    subject = next((name for name in tested if name.startswith("BraTS")), tested[0])
    applied = {"checkpoint": weights, "output_dir": str(run / "predictions"), **job.applying}
    chosen = {**choose(job, data, subject), **applied}
    yield f"{name}: apply to what it was not trained on", bundle_command(bundle, "inferring", [job.inference], chosen)


def choose(job: Job, data: Path, subject: str) -> dict[str, str]:
    """What the network is applied to: a held-out patient, or the images that the layout holds without a label.

    Args:
        job: the network.
        data: folder of the cohort.
        subject: a held-out patient.

    Returns:
        Knobs of inference.
    """
    if job.cohort.layout == "br35h":
        return {"dataset_dir": str(data / "pred")}
    if job.cohort.layout == "rsna_miccai":
        return {"dataset_dir": str(data / "train" / subject)}
    patient = data / "MICCAI_BraTS2020_TrainingData" / subject
    if job.inference == "inference_masks":
        return {"seg": str(patient / f"{subject}_seg.nii.gz"), "age": age_of(subject, patient.parent)}
    return {"dataset_dir": str(patient)}


def age_of(subject: str, folder: Path) -> str:
    """The age in the cohort's table."""
    lines = (folder / "survival_info.csv").read_text(encoding="utf-8").splitlines()
    return next(line.split(",")[1] for line in lines if line.startswith(f"{subject},"))


def closing(folder: Path, jobs: list[Job], seconds: float) -> str:
    """The last lines: what was reached, what the phantoms' rule allows, and the page that links all results.

    Args:
        folder: of the demo, in which the page is written.
        jobs: that were run.
        seconds: that they took.
    """
    from common.reports.page import render_page

    results = [describe_job(job, folder) for job in jobs]
    render_page(folder / INDEX, "demo", results=results)
    return "\n".join(
        [
            f"\n=== Done in {seconds / 60:.1f} minutes. The numbers are a phantom's, not a patient's.",
            *(f"{result['bundle']}: {result['told']}" for result in results),
            f"\nAll results on one page: {folder / INDEX}",
        ]
    )


def describe_job(job: Job, folder: Path) -> dict[str, str]:
    """What the page says of a job, with links that hold wherever the folder is moved."""
    run = folder / job.bundle
    metrics = json.loads((run / "eval" / "metrics.json").read_text(encoding="utf-8"))
    picture = next(iter(sorted((run / "predictions").rglob("*.png"))), None)
    return {
        "bundle": job.bundle,
        "told": describe_result(job, metrics),
        "report": f"{job.bundle}/eval/report.html",
        "predictions": f"{job.bundle}/predictions/",
        "picture": picture.relative_to(folder).as_posix() if picture else "",
    }


def describe_result(job: Job, metrics: Mapping[str, Any]) -> str:
    """The key measure of an evaluation beside the best value that the rule of the phantoms allows."""
    from common.reports.key_result import key_result, tell_result

    result = tell_result(*key_result(metrics))
    if metrics.get("subgroup"):
        grades = tell_result("AUC", metrics["subgroup"]["measures"]["auc"])
        return f"{result}, but healthy can be recognised by the scanner; LGG against HGG alone: {grades}"
    return "; ".join(filter(None, (result, job.allowed())))


if __name__ == "__main__":
    sys.exit(main())
