from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.image
import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose, EnsureTyped
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from torch import Tensor, nn

from common.handlers import GradCamPictures, VolumeGradCam, open_writer
from common.handlers.grad_cam import View
from common.transforms import ClassProbabilitiesd, LoadImageModalitiesd, TakeVolumed

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
BOX = (slice(18, 24), slice(8, 14), slice(12, 18))
"""Of the lesion, in LPS: voxels of the file that fill voxels of the network, which are twice as wide."""


class BrightLesion(nn.Module):
    """Sees a lesion wherever voxels are more than half as bright as they get, voxel by voxel."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.ones(()))
        self.feature_maps = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        found = self.feature_maps(torch.sigmoid(40 * (image * self.first - 0.5)))
        bright = found.sum(dim=(1, 2, 3, 4))
        return torch.stack([-bright, bright], dim=1)


def write_patient(folder: Path, subject: str, axes: str) -> dict[str, Any]:
    """A stripped brain of 1 mm voxels that holds a bright lesion, stored along other axes."""
    voxels = np.zeros((40, 36, 30), np.float32)
    voxels[4:36, 4:32, 4:28] = 100
    voxels[BOX] = 200
    turn = ornt_transform(io_orientation(LPS), axcodes2ornt(tuple(axes)))
    image = nib.Nifti1Image(voxels, LPS).as_reoriented(turn)
    image.header["descrip"] = b"Jane Doe"
    folder.mkdir(parents=True, exist_ok=True)
    nib.save(image, folder / f"{subject}.nii.gz")
    return {"subject": subject, "t1ce": str(folder / f"{subject}.nii.gz")}


def explain(items: list[dict[str, Any]], handler: Any, batch_size: int = 1, **more: Any) -> None:
    transform = Compose(
        [
            LoadImageModalitiesd(("t1ce",)),
            TakeVolumed(size=(18, 16, 14), spacing=2.0),
            EnsureTyped(keys="image", track_meta=False),
        ]
    )
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(items, transform), batch_size=batch_size),
        network=BrightLesion(),
        val_handlers=[handler],
        **more,
    )
    evaluator.run(2)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PSR", "ILA"])
def test_the_map_lies_over_the_lesion_in_the_patients_own_file(tmp_path: Path, axes: str) -> None:
    item = write_patient(tmp_path / "in", "P1", axes)
    handler = VolumeGradCam(BrightLesion(), tmp_path / "out", classes=("healthy", "HGG"), modalities=("t1ce",))
    explain([item], handler, postprocessing=ClassProbabilitiesd())
    source, written = nib.load(item["t1ce"]), nib.load(tmp_path / "out" / "P1_gradcam.nii.gz")
    cam, lesion = np.asarray(written.dataobj), np.asarray(source.dataobj) == 200
    assert cam.shape == source.shape
    assert np.array_equal(written.affine, source.affine)
    assert written.get_data_dtype() == np.float32
    assert cam[lesion].max() == pytest.approx(1, abs=1e-3)
    assert cam[lesion].min() == pytest.approx(0.75**3, abs=1e-3)  # in the corners
    assert cam[~lesion].max() == pytest.approx(0.25, abs=1e-3)  # a quarter of the network's voxel further
    assert b"Jane" not in written.header["descrip"].tobytes()


def test_a_picture_beside_each_map_also_in_a_batch(tmp_path: Path) -> None:
    items = [write_patient(tmp_path / "in", f"P{number}", "PSR") for number in range(3)]
    items[2]["scan"] = "P2-later"
    for item in items:
        item.setdefault("scan", item["subject"])
    explain(items, VolumeGradCam(BrightLesion(), tmp_path / "out"), batch_size=2)
    names = [f"{name}_gradcam.{kind}" for name in ("P0", "P1", "P2-later") for kind in ("nii.gz", "png")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert matplotlib.image.imread(tmp_path / "out" / "P0_gradcam.png").std() > 0.05


def test_nothing_that_nobody_asked_for(tmp_path: Path) -> None:
    items = [write_patient(tmp_path / "in", "P1", "LPS")]
    explain(items, VolumeGradCam(BrightLesion(), tmp_path / "out", enabled=False))
    assert not (tmp_path / "out").exists()


def test_pictures_of_volumes_at_validation(tmp_path: Path) -> None:
    items = [write_patient(tmp_path / "in", "P1", "PSR")]
    handler = GradCamPictures(
        BrightLesion(), open_writer(tmp_path), classes=("healthy", "HGG"), modalities=("t1ce",), volumes=True
    )
    explain(items, handler)
    (view,) = handler.views
    figure = handler.drawer.draw(view)
    assert figure.get_suptitle() == "P1: HGG (100%)"
    planes = [axes.get_title().split()[0] for axes in figure.axes[:3]]
    assert planes == ["axial", "coronal", "sagittal"]


def test_a_volume_is_no_bag_of_slices() -> None:
    item, output = {"subject": "P"}, {"image": torch.rand(1, 8, 8, 8), "pred": torch.tensor([0.0, 1.0])}
    view = View.of_patient(item, output, volumes=True)
    assert (view.image.shape, view.class_index, view.modality) == ((1, 8, 8, 8), 1, None)
