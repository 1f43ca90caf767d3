"""From a patient's files to the network and back to a file in the patient's own space.

Loading and preparing are two transforms, so that a program that already has the images in memory can leave the
first one out.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform, SaveImaged

from common.errors import DatasetError, OutputError, Problem
from common.files import path_within
from common.formats.nifti import save_like
from common.formats.volumes import read_volume_header
from common.knobs import as_bool
from common.names import file_name_of
from common.transforms.brain.components import ComponentRule
from common.transforms.geometry import BrainGeometry
from common.transforms.preparation import label_values, mask_values_of, prepare_image, spacing_problem
from common.transforms.probabilities import check_answer
from common.transforms.reading import mask_values_in
from common.transforms.requests import meta_of_view, patient_of
from common.transforms.shared_items import Item


class PrepareBraind(MapTransform):
    """Crop ``image`` to the brain and normalise it as in training.

    The result is float32 (channel, x, y, z) in LPS; its metadata keep ``geometry`` (JSON), which the inverse needs.

    Args:
        spacing: voxel size in mm that the network was trained on; ``None`` where that is not known.
        standardise_by: as of :func:`~common.transforms.preparation.prepare_image`.
        whole: do not crop, for a network that was trained on whole slices of one size.

    Raises:
        DatasetError: every voxel is zero, or voxels have another size.
    """

    def __init__(
        self, spacing: Sequence[float] | None = None, standardise_by: str = "volume", whole: bool = False
    ) -> None:
        super().__init__("image")
        self.spacing, self.standardise_by, self.whole = spacing, standardise_by, whole

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        image = item["image"]
        meta, subject = meta_of_view(image), patient_of(item)
        channels, affine = list(image.numpy()), np.asarray(image.affine)
        slices, geometry = prepare_image(channels, affine, subject, self.standardise_by, self.whole)
        problems = spacing_problem(geometry.spacing, self.spacing, subject)
        if problems:
            raise DatasetError(problems)
        meta["geometry"] = json.dumps(geometry.to_dict())
        boxed = torch.from_numpy(slices).permute(1, 3, 2, 0)
        item["image"] = MetaTensor(boxed.float(), meta=meta)
        return item


class LabelMapd(MapTransform):
    """Turn the logits in ``pred`` into a label map in the space of the input's files.

    ``pred`` becomes class indices, uint8 (1, x, y, z): 1 NCR, 2 ED, 3 ET, 4 RC, as viewers and DICOM SEG name them.
    :class:`SaveImageLabelMapd` writes the values of the data set, which the item keeps as ``mask_values``. On request
    ``probabilities`` becomes float32 (class, x, y, z), zero outside the brain's box but for the background, which is
    one there.

    Args:
        probabilities: whether to keep probability maps too; no rule is applied to them.
        smallest_component: of :class:`~common.transforms.brain.components.ComponentRule`, ml.
        smallest_et: likewise.

    Raises:
        CheckpointError: a logit is no number.
    """

    def __init__(
        self,
        probabilities: bool | str = False,
        smallest_component: float = 0.0,
        smallest_et: float = 0.0,
    ) -> None:
        super().__init__("pred")
        self.probabilities = as_bool(probabilities, "probabilities")
        self.rule = ComponentRule(smallest_component, smallest_et)

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        logits, meta = item["pred"], item["image"].meta
        geometry = BrainGeometry.from_dict(json.loads(meta["geometry"]))
        logits = torch.as_tensor(logits)
        check_answer(logits, item)
        if self.probabilities:
            shares = logits.float().softmax(dim=0).cpu().numpy()
            whole = np.stack([geometry.restore(share) for share in shares])
            whole[0][whole.sum(axis=0) == 0] = 1
            item["probabilities"] = MetaTensor(torch.from_numpy(whole), meta=meta)
        classes = self.rule.apply(class_argmax(logits).cpu().numpy(), float(np.prod(geometry.spacing)))
        item["mask_values"] = label_values(mask_values_in(item), len(logits) - 1)
        labels = np.ascontiguousarray(geometry.restore(classes))
        item["pred"] = MetaTensor(torch.from_numpy(labels)[None], meta=meta)
        return item


class SaveImageLabelMapd(SaveImaged):
    """Write ``pred`` as ``<scan>_seg.nii.gz`` with the input's affine and header; add its path as ``seg_file``.

    Class indices are written as the item's ``mask_values``: in BraTS until 2021 enhancing tumour is 4. By its class
    MONAI Label, and by its name MONAI Deploy, know that they must leave it out, since they write results themselves.

    ``probabilities``, where they were kept, go to ``<scan>_probabilities.nii.gz`` (x, y, z, class). Without a scan, the
    file is named by the subject.

    Args:
        output_dir: for the files.
        overwrite: whether an earlier result may be replaced.

    Raises:
        OutputError: an earlier result is there, the patient's id cannot name a file, or it cannot be written.
    """

    def __init__(self, output_dir: str | Path, overwrite: bool = False) -> None:
        super().__init__("pred", output_dir=output_dir)
        self.output_dir, self.overwrite = Path(output_dir), overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        name = file_name_of(item, self.output_dir)
        labels = item["pred"]
        source = read_volume_header(labels.meta["filename_or_obj"])
        stored = mask_values_of(labels.numpy()[0], mask_values_in(item))
        item["seg_file"] = self._write(name, "seg", stored, source)
        if "probabilities" in item:
            maps = np.moveaxis(item["probabilities"].numpy(), 0, -1)
            item["probabilities_file"] = self._write(name, "probabilities", maps, source)
        return item

    def _write(self, name: str, kind: str, array: np.ndarray, source: nib.Nifti1Image) -> str:
        path = path_within(self.output_dir, f"{name}_{kind}.nii.gz")
        if path.exists() and not self.overwrite:
            hint = "Pass --overwrite true to replace it, or another --output_dir."
            raise OutputError(Problem("an earlier result is there", str(path), hint))
        save_like(path, array, source, "glioma segmentation")
        return str(path)


def class_argmax(logits: torch.Tensor) -> torch.Tensor:
    """``argmax`` over the first dimension as uint8, class by class: many times faster on a CPU than torch's own."""
    best = logits[0].clone()
    winner = torch.zeros(best.shape, dtype=torch.uint8, device=best.device)
    for index in range(1, len(logits)):
        better = logits[index] > best
        winner[better] = index
        best = torch.where(better, logits[index], best)
    return winner
