"""Shared by the tests of the bundles: runs of seconds, how one is broken off and compared, what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from ignite.engine import Events

from common.errors import find_glioma_error
from common.networks import provenance_of
from common.records import MODALITIES

SLICES = {
    "folds": 4,
    "backbone": "test_resnet",
    "image_size": [64, 64],
    "slice_gap": 6,  # heads of these phantoms are 40 mm high
    "samples_per_epoch": 16,
    "batch_size": 8,
    "seed": 1,
    "lr_step": 1,
}
PICTURES = {
    "folds": 3,
    "image_size": [64, 64],
    "units": [16],
    "filters": 8,
    "batch_size": 8,
    "lr_step": 1,
    "pretrained": False,
}
VOLUMES = {
    "backbone": "r3d_10",
    "volume_size": [16, 16, 16],  # the phantoms' heads are 48 mm long
    "volume_spacing": 3,
    "samples_per_epoch": None,
    "seed": 1,
    "lr": 0.001,
    "lr_step": 1,
}
PROBE = "$splits.probe_sources(@cases, 'grade', @seed, {})"
"""It takes longest, so that it is asked where a test reads what it says, with no more shuffles than that needs."""
SURE, UNSURE = PROBE.format(200), PROBE.format(20)


def patient_folder(cohort: Path, subject: str) -> dict[str, Any]:
    """The folder of a patient, for inference."""
    (folder,) = (path for path in cohort.rglob(subject) if path.is_dir())
    return {"dataset_dir": str(folder)}


def files_of(patient: Path, *names: str) -> dict[str, str]:
    """Files of a BraTS patient, by the knobs that take them."""
    return {name: str(next(patient.glob(f"*_{name}.nii.gz"))) for name in names}


def with_clinical_values(cohort: Path, subject: str, names: Sequence[str] = MODALITIES) -> dict[str, Any]:
    """Files of a patient, the age, and the resection where the network takes it and it is recorded."""
    (table,) = cohort.rglob("survival_info.csv")
    row = pd.read_csv(table, index_col="Brats20ID", keep_default_na=False).loc[subject]
    resection = row["Extent_of_Resection"] if "seg" not in names else "NA"
    clinical = {"age": float(row["Age"]), **({} if resection == "NA" else {"resection": resection})}
    files = files_of(Path(patient_folder(cohort, subject)["dataset_dir"]), *names)
    return {"dataset_dir": None, "subject": subject, **files, **clinical}


@dataclass(frozen=True)
class Case:
    """A training config of a bundle, and a run of seconds of it.

    Args:
        bundle: its name.
        cohort: the fixture of its phantoms.
        settings: of all its commands, where they know them.
        learning: of training besides.
        judging: of evaluation besides.
        more: knobs of training and evaluation that take a fixture.
        config: the training config.
        weights: what its checkpoints are called.
        results: where its evaluation lies.
        patient: what inference takes for one patient of the cohort.
    """

    bundle: str
    cohort: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    learning: Mapping[str, Any] = field(default_factory=dict)
    judging: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    config: str = "train"
    weights: str = "model"
    results: str = "eval"
    patient: Callable[[Path, str], dict[str, Any]] = patient_folder


def the_cohort(cohort: Path, _: str) -> dict[str, Any]:
    """All of it: a picture is found by its name there."""
    return {"dataset_dir": str(cohort)}


SURVIVAL, TUMOUR = "glioma_survival_classification", "brain_tumor_classification"
CASES = {
    "segmentation": Case("glioma_segmentation", "phantom_dir", {"lr_step": 1}, patient=the_cohort),
    "grade": Case("glioma_grade_classification", "classifiable", SLICES),
    "survival": Case(SURVIVAL, "classifiable", SLICES, patient=with_clinical_values),
    "masks": Case(
        SURVIVAL,
        "classifiable",
        SLICES,
        config="train_masks",
        weights="model_masks",
        results="eval/masks",
        patient=lambda cohort, subject: with_clinical_values(cohort, subject, ("seg",)),
    ),
    "tumour A": Case(TUMOUR, "images_dir", {**PICTURES, "net": "A"}, patient=the_cohort),
    "tumour B": Case(TUMOUR, "images_dir", {**PICTURES, "net": "B", "trainable": "all"}, patient=the_cohort),
    "volume": Case(
        "glioma_spatiospatial_classification",
        "classifiable",
        VOLUMES,
        learning={"shortcuts": None},
        judging={"shortcuts": SURE},
        more={"healthy_dir": "healthy_dir"},
        patient=lambda cohort, subject: {
            "dataset_dir": None,
            "subject": subject,
            **files_of(Path(patient_folder(cohort, subject)["dataset_dir"]), "t1ce"),
        },
    ),
    "mgmt": Case("mgmt_classification", "series_dir", {"batch_size": 8, "seed": 1, "lr_step": 1}),
}


class Interruption(Exception):
    """Ends a run in the middle of an epoch."""


def load(path: Path) -> dict[str, Any]:
    """The weights and the provenance of a checkpoint, or the state to resume from."""
    content = torch.load(path, weights_only=True)
    return content if "optimizer" in content else {"model": content, "provenance": provenance_of(content)}


def refused(opened: Any, *call: Any, **settings: Any) -> Exception:
    """The error of ours that opening or running ends in."""
    with pytest.raises(Exception) as caught:
        opened(*call, **settings).run()
    error = find_glioma_error(caught.value)
    assert error is not None, caught.value
    return error


def interrupt(workflow: Any, step: int) -> None:
    """Run until a step of training is done, and no further."""

    def cut(_: Any) -> None:
        raise Interruption

    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=step), cut)
    with pytest.raises(RuntimeError, match="trainer"):
        workflow.run()


def assert_same_runs(unbroken: Path, resumed: Path, weights: str = "model") -> None:
    """Both folders hold the same weights, of the same origin, after two epochs."""
    for name in (f"{weights}.pt", f"{weights}_last.pt"):
        one, other = load(unbroken / "models" / name), load(resumed / "models" / name)
        assert one["provenance"] == other["provenance"]
        assert one["model"].keys() == other["model"].keys()
        assert all(torch.equal(weight, other["model"][key]) for key, weight in one["model"].items())
    assert one["epoch"] == other["epoch"] == 2
    assert one["best"] == other["best"]
    assert one["lr_scheduler"] == other["lr_scheduler"]
