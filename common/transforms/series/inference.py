"""The slices of a patient's series at inference: from their files, or from a volume in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from common.errors import DatasetError, Problem
from common.formats.dicom.files import is_dicom
from common.records import value_of
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.recognition import tell_trained_on
from common.transforms.requests import is_loaded, meta_of_view, patient_of, read_request
from common.transforms.series.items import single_images
from common.transforms.series.plan import SeriesPlan, take_loaded_series, take_series
from common.transforms.shared_items import Item

logger = logging.getLogger(__name__)


class LoadImageSeriesd(LoadImageModalitiesd):
    """Read ``image``, as a program such as MONAI Label names it: a DICOM series or a NIfTI file.

    A series, its folder or a file of it, is left for :class:`TakeSeriesd`, which reads only the slices it takes; so are
    items with a folder under each modality. Of NIfTI files ``image`` becomes a MetaTensor (modality, x, y, z).
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = read_request(data)
        if is_loaded(item) or "image" not in item:
            return item
        path = Path(str(item["image"]))
        folder = path if path.is_dir() else path.parent
        if not path.is_dir() and not is_dicom(path):
            return super().__call__(data)
        if len(self.modalities) > 1:
            what = f"it is one series, and the network reads {', '.join(self.modalities)}"
            raise DatasetError(Problem(what, str(path), "Give a NIfTI file with all of them."))
        del item["image"]
        return {**item, self.modalities[0]: str(folder)}  # type: ignore[misc]


class TakeSeriesd(MapTransform):
    """Take the slices of a patient's series: ``image``, a bag float32 (slice, modality, x, y).

    Bit for bit what ``prepare_series`` and :class:`LoadSeriesSliced` make of the same folders with the same settings.
    They come from the folder of each series under its modality's name, or from a volume under ``image``
    (modality, x, y, z), along whose last axis the slices lie.

    Args:
        modalities: in the order of the channels.
        slices_per_subject: as for ``prepare_series``, like the next two.
        size: pixels along x and y.
        central_share: the middle part of each series that slices are taken from.
        transform: what training does to the ``image`` of a single slice after loading it; it is called with a dict
            that holds nothing else.
        provenance: of the weights, to tell a scan in folders that they were trained on; see
            :func:`~common.transforms.recognition.tell_trained_on`.
        per_modality: the bag holds a slice of one modality each, float32 (image, 1, x, y), in the order of
            :func:`~common.transforms.series.items.single_images`; ``modality`` tells which, (image,).

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: everything that is wrong with the patient's series, in one error.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        slices_per_subject: int = 16,
        size: Sequence[int] = (224, 224),
        central_share: float = 0.6,
        transform: Callable[[dict[str, Any]], Mapping[Any, Any]] | None = None,
        provenance: Mapping[str, Any] | None = None,
        per_modality: bool = False,
    ) -> None:
        super().__init__("image", allow_missing_keys=True)
        self.plan = SeriesPlan.read(modalities, slices_per_subject, size, central_share)
        self.transform, self.provenance, self.per_modality = transform, provenance, per_modality

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item: Item = {**data}  # type: ignore[typeddict-item]
        if is_loaded(item):
            image, name = item["image"], patient_of(item)
            taken, positions = take_loaded_series(list(image.numpy()), np.asarray(image.affine), name, self.plan)
            meta = meta_of_view(image)
        else:
            folders = {key: str(value_of(item, key)) for key in self.plan.modalities if item.get(key)}
            taken, content = take_series(folders, str(item["subject"]), self.plan)
            tell_trained_on(item, self.provenance, content["voxel_hashes"])
            self._tell_lacking(str(item["subject"]), len(taken), content["missing_slices"])
            meta, positions = {}, content["positions"]
        bag: Iterable[np.ndarray] = taken
        if self.per_modality:
            images = single_images(positions, self.plan.modalities)
            bag = [taken[place, [channel]] for place, channel in images]
            item["modality"] = torch.tensor([channel for _, channel in images])
        item["image"] = MetaTensor(torch.stack([self._one(plane) for plane in bag]), meta=meta)
        return item

    def _tell_lacking(self, subject: str, taken: int, missing: Mapping[str, int]) -> None:
        """Warn of a series that was not exported whole, or is a scan for planning: its slices say less."""
        if any(missing.values()):
            lacking = ", ".join(f"{count} of {name}" for name, count in missing.items() if count)
            logger.warning("%s lacks slices between others (%s); those that are there are used", subject, lacking)
        if taken < self.plan.count:
            logger.warning("%s gives %d of %d slices: its series have no more", subject, taken, self.plan.count)

    def _one(self, plane: np.ndarray) -> torch.Tensor:
        image: Any = torch.from_numpy(plane.astype(np.float32))
        if self.transform is not None:
            image = self.transform({"image": image})["image"]
        return convert_to_tensor(image, track_meta=False)
