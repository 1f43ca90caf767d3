"""Masks of the segmentation network as the input of another network (P3, section 4.3)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import MapTransform
from torch import Tensor, nn
from tqdm import tqdm

from common.cache_folder import save_array
from common.errors import DatasetError
from common.files import path_within
from common.knobs import as_bool
from common.names import file_name_of
from common.networks.weights.recorded import slice_size_of
from common.records import scan_of
from common.transforms.brain.inference import class_argmax
from common.transforms.brain.items import LoadBraind, brain_items
from common.transforms.cases import Case, count_tumour, tumour_millilitres
from common.transforms.geometry import BrainGeometry
from common.transforms.preparation import spacing_problem
from common.transforms.shared_items import Item

Inferer = Callable[[Tensor, nn.Module], Tensor]

logger = logging.getLogger(__name__)


def predict_masks(
    cases: Iterable[Case],
    network: nn.Module,
    inferer: Inferer,
    output_dir: str | Path,
    provenance: Mapping[str, Any] | None = None,
    device: torch.device | str = "cpu",
    amp: bool | str = False,
) -> list[Case]:
    """Segment every case and replace the true mask by the predicted one.

    A case in which the network finds no tumour is kept, with counts of zero, and logged.

    Args:
        cases: of :func:`~common.transforms.brain.cache.prepare_brains`, with images.
        network: the segmentation network, its weights loaded; it is left in eval mode.
        inferer: over whole volumes (batch, channel, x, y, z).
        output_dir: where masks go, as ``<scan>.npy`` (``<subject>.npy`` without a scan): uint8 class indices
            (z, y, x) of the case's box, or of the whole volume where whole slices are segmented.
        provenance: of the checkpoint; its ``spacing`` must be that of the cases, and by its ``slice_size`` whole
            slices are resized before they are segmented.
        device: where to compute.
        amp: mixed precision.

    Returns:
        The cases with ``cached_mask``, ``tumour_voxels`` and ``tumour_ml`` of the predicted mask.

    Raises:
        DatasetError: with every case whose voxels have another size than those that the network was trained on.
        OutputError: a mask cannot be written.
    """
    cases = list(cases)
    expected = (provenance or {}).get("spacing")
    problems = [
        problem for case in cases for problem in spacing_problem(case["geometry"]["spacing"], expected, scan_of(case))
    ]
    if problems:
        raise DatasetError(problems)
    predicted = [
        _predict(case, network, inferer, Path(output_dir), device, amp, slice_size_of(provenance) is not None)
        for case in tqdm(cases, desc="Segmenting", unit="case", leave=False)
    ]
    empty = [scan_of(case) for case in predicted if not case["tumour_ml"]]
    if empty:
        logger.warning("The segmentation network finds no tumour in %s.", ", ".join(empty))
    return predicted


def segment_volume(
    image: Tensor, network: nn.Module, inferer: Inferer, device: torch.device | str = "cpu", amp: bool | str = False
) -> np.ndarray:
    """Segment a prepared volume.

    Args:
        image: (channel, x, y, z).
        network: the segmentation network; it is left in eval mode.
        inferer: over whole volumes (batch, channel, x, y, z).
        device: where to compute.
        amp: mixed precision.

    Returns:
        Class indices, uint8 (x, y, z).
    """
    kind = torch.device(device).type
    network.eval()
    with torch.no_grad(), torch.autocast(kind, enabled=as_bool(amp, "amp")):
        logits = inferer(image[None].to(device), network)[0]
    return class_argmax(logits).cpu().numpy()


class SegmentTumourd(MapTransform):
    """Segment ``image``, as :class:`PrepareBraind` leaves it, into ``mask``: uint8 (x, y, z) of the volume in LPS.

    It computes in the process that calls it: give its data loader no worker processes.

    Args:
        network: the segmentation network, its weights loaded.
        inferer: over whole volumes (batch, channel, x, y, z).
        device: where to compute; the network is there already.
        amp: mixed precision.
    """

    def __init__(
        self, network: nn.Module, inferer: Inferer, device: torch.device | str = "cpu", amp: bool | str = False
    ) -> None:
        super().__init__("image")
        self.network, self.inferer, self.device, self.amp = network, inferer, device, amp

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        image = item["image"]
        geometry = BrainGeometry.from_dict(json.loads(image.meta["geometry"]))
        classes = segment_volume(image.as_tensor(), self.network, self.inferer, self.device, self.amp)
        item["mask"] = torch.from_numpy(geometry.whole(classes))
        return item


def _predict(
    case: Case,
    network: nn.Module,
    inferer: Inferer,
    folder: Path,
    device: torch.device | str,
    amp: bool | str,
    whole_slices: bool,
) -> Case:
    whole = cast(Case, {key: value for key, value in case.items() if key not in ("slices", "cached_mask")})
    geometry = BrainGeometry.from_dict(case["geometry"])
    (item,) = brain_items([whole])
    if whole_slices:
        geometry = geometry.uncropped()
        item["slices"] = list(range(geometry.shape[2]))
    image = LoadBraind(whole_slice=whole_slices)(item)["image"]
    classes = segment_volume(image, network, inferer, device, amp).T
    path = path_within(folder, f"{file_name_of(case, folder)}.npy")
    save_array(path, classes)
    voxels = count_tumour(classes, geometry)
    ml = tumour_millilitres(voxels, geometry.spacing)
    found = {"cached_mask": str(path), "geometry": geometry.to_dict(), "tumour_voxels": voxels, "tumour_ml": ml}
    return cast(Case, {**case, **found})
