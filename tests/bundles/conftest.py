from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"

TINY: dict[str, Any] = {
    "device": "cpu",
    "folds": 4,  # of eight phantoms: four to train on, two on either held-out side
    "epochs": 1,
    "batch_size": 4,
    "crop_size": [64, 64],
    "samples_per_epoch": 16,
}
"""A training run of seconds."""

Start = Callable[..., "ConfigWorkflow"]


@pytest.fixture(scope="session")
def start(phantom_dir: Path) -> Start:
    """Opens and initialises a workflow of a bundle on the phantoms: ``start(folder, "train", "stage2", epochs=2)``.

    ``folder`` takes everything that the run writes. Settings that none of the configs knows are left out.
    """

    def start(folder: Path, *configs: str, bundle: str = "glioma_segmentation", **settings: Any) -> ConfigWorkflow:
        from monai.bundle import ConfigParser, ConfigWorkflow

        files = [str(BUNDLES / bundle / "configs" / f"{name}.yaml") for name in configs]
        known = ConfigParser.load_config_files(files)
        tiny = {name: value for name, value in TINY.items() if name in known}
        workflow = ConfigWorkflow(
            config_file=files,
            workflow_type="infer" if configs[0].startswith("inference") else "train",
            logging_file=False,  # the logging file would silence pytest's own handlers
            **{"bundle_root": str(folder), "dataset_dir": str(phantom_dir), **tiny, **settings},
        )
        workflow.initialize()
        return workflow

    return start
