"""Grad-CAM of a classifier of volumes: as a volume on the grid of the patient's file, and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Events
from monai.engines.workflow import Workflow
from torch import nn

from common.files import atomic_path, path_within
from common.formats.nifti import save_like
from common.formats.volumes import read_volume_header
from common.handlers.grad_cam import GradCamDrawer
from common.knobs import as_bool
from common.names import file_name_of
from common.transforms.volumes.grid import ResampledGrid


class VolumeGradCam:
    """Writes ``<scan or subject>_gradcam.nii.gz`` and ``_gradcam.png`` for each patient of an evaluator.

    The volume is float32 from 0 to 1 on the grid of the file that the patient was read from, and zero outside
    the network's input; the picture shows three planes through its highest value in the brain, in the voxels of the
    network.

    Args:
        network: with a layer ``feature_maps``, see :func:`~common.networks.grad_cam`.
        output_dir: for the volumes and pictures.
        enabled: the knob ``gradcam``; false to write nothing.
        classes: their names, in the order of the labels.
        modalities: names of the channels.
    """

    def __init__(
        self,
        network: nn.Module,
        output_dir: str | Path,
        enabled: bool | str = True,
        classes: Sequence[str] = (),
        modalities: Sequence[str] = (),
    ) -> None:
        self.drawer = GradCamDrawer(network, classes, modalities, volumes=True)
        self.output_dir, self.enabled = Path(output_dir), as_bool(enabled, "gradcam")

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator whose items come from :class:`~common.transforms.TakeVolumed`."""
        if self.enabled:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Explain the patients of a batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            view = self.drawer.select(item, output)
            cam = self.drawer.explain(view)
            name = file_name_of(item, self.output_dir)
            self._write(name, cam, item)
            with atomic_path(path_within(self.output_dir, f"{name}_gradcam.png")) as path:
                self.drawer.draw(view, cam).savefig(path, dpi=120)

    def _write(self, name: str, cam: np.ndarray, item: dict[str, Any]) -> None:
        restored = ResampledGrid.from_dict(json.loads(item["geometry"])).restore(cam)
        source = read_volume_header(item["volume_file"])
        path = path_within(self.output_dir, f"{name}_gradcam.nii.gz")
        save_like(path, np.clip(restored, 0, 1), source, "Grad-CAM")
