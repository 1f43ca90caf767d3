"""The demo's steps, each a command that a user can type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from common.commands import ROOT, bundle_command
from common.demonstration.jobs import Cohort, Job, cohorts_of

Step = tuple[str, list[str]]


def list_steps(folder: Path, jobs: list[Job]) -> Iterator[Step]:
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
