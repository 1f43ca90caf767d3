"""The segmentation bundle, opened as its command line opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

ROOT = Path(__file__).resolve().parent.parent / "bundles" / "glioma_segmentation"
NEVER = 1_000_000


def open_bundle(config: str, folder: Path, **knobs: Any) -> ConfigWorkflow:
    """``configs/<config>.yaml`` on the CPU with ``knobs``, initialised; all that it writes goes into ``folder``."""
    workflow = ConfigWorkflow(
        config_file=str(ROOT / "configs" / f"{config}.yaml"),
        meta_file=str(ROOT / "configs" / "metadata.json"),
        workflow_type="train" if config == "train" else "inference",
        bundle_root=str(ROOT),
        device="$torch.device('cpu')",
        amp=False,
        output_dir=str(folder / "run"),
        **knobs,
    )
    workflow.initialize()
    return workflow
