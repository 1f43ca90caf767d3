"""What a run lives through, bundle by bundle, on phantoms and networks so small that it takes seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.commands import ROOT, bundle_command

TRAINING, EVALUATING, INFERRING, PACKAGING = COMMANDS = ("training", "evaluating", "inferring", "packaging")


@dataclass(frozen=True)
class Life:
    """Training, evaluation, application and packaging of one bundle.

    Args:
        bundle: name of its folder.
        cohort: name of the phantoms in :func:`make_cohorts`.
        knobs: of training and evaluation.
        learning: of training alone.
        applying: of inference.
        train: its training config.
        inference: its inference config.
    """

    bundle: str
    cohort: str
    knobs: Mapping[str, Any]
    learning: Mapping[str, Any]
    applying: Mapping[str, Any] = field(default_factory=dict)
    train: str = "train"
    inference: str = "inference"

    def command(self, name: str, home: Path, cohorts: Path, resume: bool = False, **more: Any) -> list[str]:
        """What follows ``python``, for the bundle whose copy lies in ``home``; a package goes to ``home/dist``."""
        bundle, data = home / self.bundle, {"dataset_dir": str(cohorts / self.cohort), "device": "cpu"}
        people = {"healthy_dir": str(cohorts / "healthy")} if self.cohort == "people" else {}
        if name == PACKAGING:
            return ["scripts/package.py", str(bundle), "--output", str(home / "dist"), "--no-exports"]
        if name == INFERRING:
            data["dataset_dir"] = str(cohorts / f"few_{'volumes' if people else self.cohort}")
            given = {**data, "resume": resume, **self.applying, **more}
            return bundle_command(bundle, name, [self.inference], given)
        common = {**data, **people, "cache_dir": str(home / "cache"), "seed": 1, **self.knobs, **more}
        if name == EVALUATING:
            return bundle_command(bundle, name, [self.train, "evaluate"], common)
        return bundle_command(bundle, name, [self.train], {**common, "resume": resume, "epochs": 2, **self.learning})


PROBE = "$splits.probe_sources(@cases, 'grade', @seed, 20)"
"""With no more shuffles than a test needs."""

SLICES = {"image_size": [64, 64], "backbone": "test_resnet"}
LIVES = (
    Life(
        "glioma_grade_classification",
        "volumes",
        {"folds": 4, "slice_gap": 6, **SLICES},
        {"samples_per_epoch": 16, "batch_size": 8},
        {"image_size": [64, 64], "backbone": "test_resnet", "gradcam": True},
    ),
    Life(
        "glioma_segmentation",
        "volumes",
        {"folds": 4, "num_workers": 2},
        {"samples_per_epoch": 8, "batch_size": 4, "crop_size": [64, 64]},
        {"pictures": True},
    ),
    Life(
        "glioma_survival_classification",
        "volumes",
        {"folds": 4, **SLICES},
        {"samples_per_epoch": 16, "batch_size": 8},
        SLICES,
        train="train_masks",
        inference="inference_masks",
    ),
    Life(
        "brain_tumor_classification",
        "images",
        {"folds": 3, "image_size": [64, 64], "units": [16], "filters": 8},
        {"batch_size": 8},
        {"image_size": [64, 64], "units": [16], "filters": 8},
    ),
    Life(
        "mgmt_classification",
        "series",
        {"folds": 4, "slices_per_patient": 4, "num_workers": 2, **SLICES},
        {"batch_size": 8},
        SLICES,
    ),
    Life(
        "glioma_spatiospatial_classification",
        "people",
        {"folds": 4, "backbone": "r3d_10", "volume_size": [16, 16, 16], "volume_spacing": 3, "shortcuts": PROBE},
        {"batch_size": 4},
        {"backbone": "r3d_10", "volume_size": [16, 16, 16], "volume_spacing": 3},
    ),
)


def copy_bundle(life: Life, home: Path) -> None:
    """A bundle of the repository without what earlier runs left in it."""
    source = ROOT / "bundles" / life.bundle
    for name in ("configs", "docs"):
        shutil.copytree(source / name, home / life.bundle / name)
    shutil.copy(source / "LICENSE", home / life.bundle)


def make_cohorts(folder: Path, wanted: Set[str]) -> None:
    """Phantoms for lives, by the names of their cohorts; those that are there stay."""
    from common.phantoms.layouts.br35h import make_br35h_phantoms
    from common.phantoms.layouts.brats2020 import make_brats_phantoms
    from common.phantoms.layouts.ixi import make_ixi_phantoms
    from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms

    small, slab = {"shape": (48, 48, 40)}, {"shape": (48, 48, 16)}
    makers: dict[str, Callable[[Path], object]] = {
        "volumes": lambda path: make_brats_phantoms(path, 12, **small, lgg_clinical=True),
        "few_volumes": lambda path: make_brats_phantoms(path, 4, **small, lgg_clinical=True),
        "people": lambda path: make_brats_phantoms(path, 12, **small),
        "healthy": lambda path: make_ixi_phantoms(path, 8, **small),
        "images": lambda path: make_br35h_phantoms(path, 9, copies=1.5, side=100),
        "few_images": lambda path: make_br35h_phantoms(path, 2, copies=0, side=100),
        "series": lambda path: make_rsna_phantoms(path, 12, **slab),
        "few_series": lambda path: make_rsna_phantoms(path, 4, **slab),
    }
    beside = {"people": {"healthy", "few_volumes"}}
    names = wanted.union(*(beside.get(name, {f"few_{name}"}) for name in wanted))
    for name in sorted(names):
        if not (folder / name).exists():
            makers[name](folder / f"{name}.new")
            (folder / f"{name}.new").rename(folder / name)
