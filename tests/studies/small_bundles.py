"""Bundles with small, untrained networks, as a user who trained with such knobs has them, and what they infer."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from common.transforms.slices.plan import SlicePlan

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"

ENCODER = {
    "features": ["age", "resection"],
    "missing_indicators": True,
    "missing_seen": [],
    "age_range": [20.0, 80.0],
    "mean_age": 50.0,
}
SLICES = {"slices": asdict(SlicePlan(gap=6.0))}  # heads of these phantoms are 24 mm high

IMAGES = {"backbone": "test_resnet", "image_size": [64, 64]}
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "glioma_segmentation": ({}, {}),
    "glioma_grade_classification": (IMAGES, SLICES),
    "glioma_survival_classification": (
        IMAGES,
        {**SLICES, "encoder": ENCODER, "classes": ["short", "mid", "long"]},
    ),
    "brain_tumor_classification": ({"filters": 8, "image_size": [64, 64]}, {}),
    "glioma_spatiospatial_classification": ({"volume_size": [32, 32, 16], "backbone": "r3d_10"}, {}),
    "mgmt_classification": ({"image_size": [64, 64]}, {}),
}
"""Knobs of ``inference.yaml`` that are edited, and provenance of the weights."""

CLINICAL = {"glioma_survival_classification": {"age": 61, "resection": "GTR"}}


def write_small_bundle(name: str, folder: Path) -> Path:
    """A copy of a bundle with the knobs of :data:`SMALL`, and weights for it."""
    import torch
    from monai.bundle import ConfigParser

    from common.networks import save_weights
    from tests.bundles.consumers import write_bundle

    knobs, provenance = SMALL[name]
    parser = ConfigParser(ConfigParser.load_config_file(BUNDLES / name / "configs" / "inference.yaml"))
    parser.update(knobs)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def")
    weights = folder / "weights" / f"{name}.pt"
    save_weights(weights, network.state_dict(), {"bundle": name, **provenance})
    return write_bundle(folder, name, weights, device="$torch.device('cpu')", **knobs)


def infer(bundle: Path, folder: Path, **settings: Any) -> list[dict[str, str]] | np.ndarray:
    """What the bundle's own ``inferring`` writes: rows of its table, or the label map with class indices."""
    from monai.bundle import ConfigWorkflow

    from common.formats.nifti import read_nifti

    workflow = ConfigWorkflow(
        config_file=str(bundle / "configs" / "inference.yaml"),
        workflow_type="infer",
        logging_file=False,
        bundle_root=str(bundle),
        output_dir=str(folder),
        **settings,
    )
    workflow.initialize()
    workflow.run()
    masks = sorted(folder.glob("*_seg.nii.gz"))
    if masks:
        labels = read_nifti(masks[0]).array
        return np.where(labels == 4, 3, labels)
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def probabilities_in(row: dict[str, str]) -> dict[str, float]:
    """Of a row of a table, by class."""
    return {name.removeprefix("p_"): float(value) for name, value in row.items() if name.startswith("p_")}
