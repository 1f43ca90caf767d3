"""What a bundle is tried with: phantoms, a training of seconds, and a patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.records import MODALITIES
from common.reports.knob_tables import read_knobs
from common.tasks.registry import task_of_bundle

COHORTS: dict[str, tuple[str, ...]] = {
    "volumes": ("brats2020", "--patients", "20", "--shape", "48", "48", "40"),
    "images": ("br35h", "--patients", "12", "--shape", "100", "100", "100", "--copies", "1"),
    "series": ("rsna_miccai", "--patients", "16", "--shape", "48", "48", "16"),
}
"""Arguments of ``make_phantoms.py``, by the kind of cohort."""

SMALL: dict[str, Any] = {
    "device": "cpu",
    "folds": 4,
    "epochs": 1,
    "batch_size": 4,
    "crop_size": [64, 64],
    "samples_per_epoch": 16,
    "backbone": "resnet18",
    "image_size": [64, 64],
    "slice_gap": 6,
    "slices_per_patient": 4,
    "volume_size": [24, 24, 24],
    "net": "A",
    "allow_shortcut": True,
}
"""Knobs of a training of seconds; a bundle gets those that it has."""

OWN: dict[str, dict[str, Any]] = {
    "glioma_spatiospatial_classification": {"backbone": "r3d_10", "classes": ["LGG", "HGG"]}
}
KNOWN_OF_PATIENT: dict[str, dict[str, Any]] = {"glioma_survival_classification": {"age": 61, "resection": "GTR"}}
PATIENT = "BraTS20_Training_001"


@dataclass(frozen=True)
class Trial:
    """How a bundle is tried.

    Args:
        bundle: its folder, in this repository.
        cohort: one of :data:`COHORTS`.
        learning: knobs of training and evaluation, the data among them.
        network: knobs that the network of ``learning`` needs at inference; a package knows them itself.
        applied: knobs of inference that name a patient.
    """

    bundle: Path
    cohort: str
    learning: Mapping[str, Any]
    network: Mapping[str, Any]
    applied: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the bundle."""
        return self.bundle.name


def cohort_of(bundle: str) -> str:
    """Which of :data:`COHORTS` a bundle is tried on; one that no task describes is taken for one of volumes."""
    task = task_of_bundle(bundle)
    return task.cohort if task and task.cohort in COHORTS else "volumes"


def trial_of(bundle: Path, phantoms: Path) -> Trial:
    """The trial of a bundle.

    Args:
        bundle: its folder.
        phantoms: where a folder of its cohort lies.
    """
    cohort = cohort_of(bundle.name)
    small = {**SMALL, **OWN.get(bundle.name, {})}
    train, infer = (_known(bundle, name, small) for name in ("train", "inference"))
    patient = {**_patient(bundle, cohort, phantoms / cohort), **KNOWN_OF_PATIENT.get(bundle.name, {}), "device": "cpu"}
    return Trial(bundle, cohort, {**train, "dataset_dir": str(phantoms / cohort)}, infer, patient)


def _known(bundle: Path, config: str, values: Mapping[str, Any]) -> dict[str, Any]:
    knobs = {knob.name for knob in read_knobs(bundle / "configs" / f"{config}.yaml")}
    return {name: value for name, value in values.items() if name in knobs}


def _patient(bundle: Path, cohort: str, data: Path) -> dict[str, Any]:
    if cohort == "images":
        return {"dataset_dir": str(next(iter(sorted(data.glob("yes/*.jpg")))))}
    if cohort == "series":
        return {"flair": str(next(iter(sorted(data.rglob("FLAIR")))))}
    folder = next(iter(data.rglob(PATIENT)))
    wanted = ("t1ce",) if bundle.name == "glioma_spatiospatial_classification" else MODALITIES
    return {name: str(folder / f"{PATIENT}_{name}.nii.gz") for name in wanted}
