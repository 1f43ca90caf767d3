"""The segmentation bundle, opened as its command line opens it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

ROOT = Path(__file__).resolve().parent.parent / "bundles" / "glioma_segmentation"
NEVER = 1_000_000
TRAINING_FOLDER = "MICCAI_BraTS2020_TrainingData"


def open_bundle(config: str, folder: Path, **knobs: Any) -> ConfigWorkflow:
    """``configs/<config>.yaml`` on the CPU with ``knobs``, initialised; all that it writes goes into ``folder``."""
    workflow = ConfigWorkflow(
        config_file=str(ROOT / "configs" / f"{config}.yaml"),
        meta_file=str(ROOT / "configs" / "metadata.json"),
        logging_file=False,
        workflow_type="train" if config == "train" else "inference",
        bundle_root=str(ROOT),
        device="$torch.device('cpu')",
        amp=False,
        output_dir=str(folder / "run"),
        **knobs,
    )
    workflow.initialize()
    return workflow


def multiply_patients(cohort: Path, target: Path, patients: int) -> Path:
    """Fill ``target`` with ``patients`` of BraTS 2020's folders, the ones in ``cohort`` over and over under new names."""
    sources = sorted(path for path in (cohort / TRAINING_FOLDER).iterdir() if path.is_dir())
    for index in range(patients):
        source = sources[index % len(sources)]
        name = f"BraTS20_Training_{index + 1:03d}"
        (target / name).mkdir(parents=True)
        for file in source.iterdir():
            shutil.copyfile(file, target / name / file.name.replace(source.name, name))
    return target
