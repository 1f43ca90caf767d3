"""Grad-CAM pictures of a classifier: in TensorBoard, and for each new patient on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Events
from matplotlib.figure import Figure
from monai.engines.workflow import Workflow
from monai.utils import convert_to_tensor
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from common.files import atomic_path, path_within
from common.knobs import as_bool
from common.names import file_name_of
from common.networks.saliency import grad_cam
from common.records import MODALITIES
from common.reports.pictures import draw_grad_cam, draw_mask_grad_cam, draw_picture_grad_cam, draw_volume_grad_cam


@dataclass(frozen=True)
class View:
    """An image to explain: of a patient's images, the one with the highest probability of the patient's class.

    Args:
        name: of the scan or subject.
        image: (channel, x, y), or (channel, x, y, z).
        clinical: (1, width), or ``None``.
        class_index: the patient's predicted class.
        probability: of that class.
        modality: index of the modality, where each is an image of its own.
        truth: the patient's true class, where it is known.
    """

    name: str
    image: Tensor
    clinical: Tensor | None
    class_index: int
    probability: float
    modality: int | None = None
    truth: int | None = None

    @classmethod
    def of_patient(cls, item: Mapping[str, Any], output: Mapping[str, Any], volumes: bool = False) -> View:
        """From a decollated batch and output: ``image`` (channel, x, y) or a bag (n, channel, x, y), ``pred`` logits.

        After :class:`~common.transforms.ClassProbabilitiesd`, its ``samples`` are read instead of ``pred``. With
        ``volumes`` each image has a third axis z.

        Args:
            item: the patient's part of the batch; ``modality`` is that of the image, or of each image of a bag.
            output: the patient's part of the output.
            volumes: images have three axes.
        """
        image, modality = convert_to_tensor(output["image"], track_meta=False).detach(), item.get("modality")
        shares = output.get("samples")
        if shares is None:
            shares = torch.atleast_2d(torch.as_tensor(output["pred"]).detach().float()).softmax(dim=1)
        mean = shares.mean(dim=0)
        index = int(mean.argmax())
        if image.ndim == (5 if volumes else 4):
            place = int(shares[:, index].argmax())
            image, modality = image[place], place if modality is None else modality[place]
        values = item.get("clinical")
        clinical = None if values is None else torch.tensor([[float(value) for value in values]])
        name, modality = str(item.get("scan") or item["subject"]), None if modality is None else int(modality)
        truth = None if item.get("label") is None else int(item["label"])
        return cls(name, image.cpu(), clinical, index, float(mean[index]), modality, truth)


class GradCamDrawer:
    """Draws Grad-CAM maps over the images of a network.

    Args:
        network: with a layer ``feature_maps``, see :func:`~common.networks.grad_cam`.
        classes: their names, in the order of the labels; their numbers by default.
        modalities: names of the modalities in the images, or of the images where each modality is one; none of them
            where an image is a single picture, grey or RGB.
        orientation: of the images' axes; ``None`` where it is not known.
        masks: the images are the tumour masks NCR, ED and ET.
        slices: a patient's images are slices, each with all modalities.
        volumes: a patient's image is a volume (channel, x, y, z) in LPS, drawn in three planes.
    """

    def __init__(
        self,
        network: nn.Module,
        classes: Sequence[str] = (),
        modalities: Sequence[str] = MODALITIES,
        orientation: str | None = "RAS",
        masks: bool = False,
        slices: bool = False,
        volumes: bool = False,
    ) -> None:
        self.network, self.classes, self.modalities = network, tuple(classes), tuple(modalities)
        self.orientation, self.masks, self.slices, self.volumes = orientation, masks, slices, volumes

    def select(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> View:
        """The image of a patient that is drawn; see :meth:`View.of_patient`."""
        return View.of_patient(item, output, self.volumes)

    def explain(self, view: View) -> np.ndarray:
        """The evidence for the predicted class, float32 (x, y) or (x, y, z) from 0 to 1."""
        device = next(self.network.parameters()).device
        takes_clinical = getattr(getattr(self.network, "module", self.network), "in_clinical", 0) > 0
        clinical = view.clinical.to(device) if takes_clinical and view.clinical is not None else None
        return grad_cam(self.network, view.image[None].to(device), clinical, view.class_index)[0, 0].cpu().numpy()

    def draw(self, view: View, cam: np.ndarray | None = None) -> Figure:
        """The image with the evidence for the predicted class over it: ``cam``, or what :meth:`explain` finds."""
        cam = self.explain(view) if cam is None else cam
        name = self.classes[view.class_index] if self.classes else f"class {view.class_index}"
        title = f"{view.name}: {name} ({view.probability:.0%})"
        if self.volumes:
            return draw_volume_grad_cam(view.image.numpy(), cam, title, self.modalities)
        if self.masks:
            return draw_mask_grad_cam(view.image.numpy(), cam, title, self.orientation or "LPS")
        if not self.modalities:
            return draw_picture_grad_cam(view.image.numpy(), cam, title)
        alone = view.modality is not None and (not self.slices or len(view.image) < len(self.modalities))
        rows = self.modalities[view.modality :][:1] if alone else self.modalities
        return draw_grad_cam(view.image.numpy(), cam, title, rows, self.orientation)


def write_heat_maps(path: Path, views: Sequence[View], maps: Sequence[np.ndarray]) -> None:
    """Write images and their heat maps as arrays, from which other figures can be drawn.

    The file has ``names`` (n,), ``truth`` and ``predicted`` (class indices, (n,)), ``images`` (n, channel, x, y) and
    ``maps`` (n, x, y), both float16.

    Args:
        path: of the ``.npz`` file.
        views: n images of equal size.
        maps: what :meth:`GradCamDrawer.explain` finds of each.
    """
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            names=np.array([view.name for view in views]),
            truth=np.array([-1 if view.truth is None else view.truth for view in views]),
            predicted=np.array([view.class_index for view in views]),
            images=np.stack([view.image.numpy() for view in views]).astype(np.float16),
            maps=np.stack(maps).astype(np.float16),
        )


class GradCamPictures:
    """Writes Grad-CAM pictures of the first patients of a validation to TensorBoard, in the first process alone.

    Args:
        network: with a layer ``feature_maps``.
        writer: shared by the handlers of a run.
        samples: how many patients to draw.
        drawing: further arguments of :class:`GradCamDrawer`.
    """

    def __init__(self, network: nn.Module, writer: SummaryWriter, samples: int = 4, **drawing: Any) -> None:
        self.drawer, self.writer, self.samples = GradCamDrawer(network, **drawing), writer, samples
        self.views: list[View] = []

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Discard the last validation."""
        self.views = []

    def collect(self, engine: Workflow) -> None:
        """Keep the images to draw."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            if len(self.views) < self.samples and idist.get_rank() == 0:
                self.views.append(self.drawer.select(item, output))

    def finish(self, engine: Workflow) -> None:
        """Draw."""
        for number, view in enumerate(self.views):
            self.writer.add_figure(f"grad_cam/{number}", self.drawer.draw(view), engine.state.epoch)


class GradCamOverlays:
    """Writes ``<scan or subject>_gradcam.png`` for each patient of an evaluator.

    Args:
        network: with a layer ``feature_maps``.
        output_dir: for the pictures.
        enabled: the knob ``gradcam``; false to write nothing.
        drawing: further arguments of :class:`GradCamDrawer`.
    """

    def __init__(self, network: nn.Module, output_dir: str | Path, enabled: bool | str = True, **drawing: Any) -> None:
        self.drawer, self.output_dir = GradCamDrawer(network, **drawing), Path(output_dir)
        self.enabled = as_bool(enabled, "gradcam")

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        if self.enabled:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Draw the patients of a batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            view = self.drawer.select(item, output)
            name = file_name_of(item, self.output_dir, folders=not self.drawer.modalities)
            with atomic_path(path_within(self.output_dir, f"{name}_gradcam.png")) as path:
                self.drawer.draw(view).savefig(path, dpi=120)
