"""The cohorts and the settings with which each network learns something within minutes."""

from __future__ import annotations

from pathlib import Path

from common.demonstration.jobs import Cohort, Job
from common.reports.knob_tables import read_knobs
from common.tasks.registry import task_of_bundle

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
