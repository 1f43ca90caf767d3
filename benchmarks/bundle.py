"""Opens a bundle as its command line does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

BUNDLES = Path(__file__).resolve().parent.parent / "bundles"
NEVER = 1_000_000


def open_bundle(name: str, config: str, folder: Path, device: str = "cpu", **knobs: Any) -> ConfigWorkflow:
    """``configs/<config>.yaml`` of a bundle with ``knobs``, initialised; it writes into ``folder``.

    On a GPU it computes in mixed precision, as the bundles do by default.

    Args:
        name: of the bundle.
        config: name of a training or inference config.
        folder: for what the bundle writes.
        device: ``cpu`` or ``cuda``.
        knobs: overrides.
    """
    root = BUNDLES / name
    workflow = ConfigWorkflow(
        config_file=str(root / "configs" / f"{config}.yaml"),
        meta_file=str(root / "configs" / "metadata.json"),
        workflow_type="train" if config.startswith("train") else "inference",
        bundle_root=str(root),
        device=f"$torch.device('{device}')",
        amp=device != "cpu",
        output_dir=str(folder / "run"),
        **knobs,
    )
    workflow.initialize()
    return workflow
