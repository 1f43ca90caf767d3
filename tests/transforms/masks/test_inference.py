from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.transforms import Compose, NormalizeIntensityd, Resized

from common.errors import DatasetError
from common.transforms.masks.cache import prepare_masks
from common.transforms.masks.inference import LoadMaskd, MaskBagd
from common.transforms.masks.items import LoadMaskSliced, mask_items

Writer = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("orientation", ["LPS", "PSR", "RAI"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_bag_is_what_training_sees_slice_by_slice(
    write_record: Writer, tmp_path: Path, orientation: str, mode: str
) -> None:
    record = write_record(orientation=orientation)
    transform = Compose(
        [Resized("image", (32, 32), mode=mode), NormalizeIntensityd("image", subtrahend=0.5, divisor=0.5)]
    )
    items = mask_items(prepare_masks([record], tmp_path / "cache"))
    singles = [torch.as_tensor(transform(LoadMaskSliced()(item))["image"]) for item in items]
    bag = MaskBagd(transform=transform)(LoadMaskd()({"subject": "p1", "seg": record["seg"]}))
    assert bag["image"].shape == (4, 3, 32, 32)
    assert torch.equal(bag["image"].as_tensor(), torch.stack(singles))
    assert bag["slices"].tolist() == [item["slice"] for item in items] == [4, 5, 6, 7]
    assert "mask" not in bag


def test_without_a_transform_slices_stay_whole(write_record: Writer) -> None:
    record = write_record()
    item = LoadMaskd()({"subject": "p1", "seg": record["seg"]})
    assert item["mask"].dtype == torch.uint8
    assert item["mask"].shape == (20, 24, 12)
    bag = MaskBagd()(item)["image"]
    assert bag.dtype == torch.float32
    assert bag.shape == (4, 3, 20, 24)


def test_a_label_set_of_ones_own(write_record: Writer) -> None:
    mask = np.zeros((20, 24, 12), np.uint8)
    mask[5, 5, 5], mask[6, 6, 5], mask[7, 7, 5] = 1, 2, 3
    path = write_record(replace={"seg": mask})["seg"]
    with pytest.raises(DatasetError, match="unknown labels: 3"):
        LoadMaskd()({"subject": "p1", "seg": path})
    for item in (
        LoadMaskd(mask_values=[1, 2, 3])({"subject": "p1", "seg": path}),
        LoadMaskd()({"subject": "p1", "seg": path, "mask_values": [1, 2, 3]}),
    ):
        classes = item["mask"]
        assert [int(classes[5, 5, 5]), int(classes[6, 6, 5]), int(classes[7, 7, 5])] == [1, 2, 3]


def test_no_mask_no_tumour_and_other_pixels(write_record: Writer) -> None:
    with pytest.raises(DatasetError, match="p1: there is no mask"):
        LoadMaskd()({"subject": "p1", "seg": None})
    empty = write_record("p2", replace={"seg": np.zeros((20, 24, 12), np.uint8)})
    with pytest.raises(DatasetError, match=r"the mask is empty.*p2|p2.*the mask is empty"):
        LoadMaskd()({"subject": "p2", "seg": empty["seg"]})
    with pytest.raises(DatasetError, match="p3: no slice of the mask shows tumour"):
        MaskBagd()({"subject": "p3", "mask": torch.zeros(4, 4, 4)})
    coarse = write_record("p4", affine=np.diag([-2.0, -2.0, 1.0, 1.0]))
    with pytest.raises(DatasetError, match=r"p4: voxels measure 2\.00 x 2\.00 mm"):
        LoadMaskd(spacing=[1, 1, 1])({"subject": "p4", "seg": coarse["seg"]})
