from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
import torch
from matplotlib.figure import Figure
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.errors import OutputError
from common.handlers import GradCamOverlays, GradCamPictures, open_writer
from common.handlers.grad_cam import GradCamDrawer, View
from common.networks import BagInferer, FusionClassifier, PrepareClinicalBatch
from common.transforms import ClassProbabilitiesd


@pytest.fixture(scope="module")
def network() -> FusionClassifier:
    torch.manual_seed(0)
    return FusionClassifier("resnet10t", 3, 2, in_clinical=2, units=(8, 4), trainable="head")


def patients(number: int, images: int | None = None) -> list[dict[str, Any]]:
    torch.manual_seed(1)
    shape = (3, 40, 32) if images is None else (images, 3, 40, 32)
    return [
        {"subject": f"P{index}", "image": torch.rand(shape), "clinical": torch.rand(2), "label": index % 2}
        for index in range(number)
    ]


def evaluate(
    network: FusionClassifier, items: list[dict[str, Any]], handler: Any, batch_size: int, **more: Any
) -> None:
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(items), batch_size=batch_size),
        network=network,
        inferer=BagInferer(2),
        prepare_batch=PrepareClinicalBatch(2),
        val_handlers=[handler],
        **more,
    )
    evaluator.run(3)


def written(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return events


@pytest.mark.parametrize(("images", "batch_size"), [(None, 2), (4, 1)])
def test_pictures_of_the_first_patients(
    network: FusionClassifier, tmp_path: Path, images: int | None, batch_size: int
) -> None:
    writer = open_writer(tmp_path)
    evaluate(network, patients(5, images), GradCamPictures(network, writer, samples=3), batch_size)
    writer.close()
    events = written(tmp_path)
    assert sorted(events.Tags()["images"]) == ["grad_cam/0", "grad_cam/1", "grad_cam/2"]
    assert events.Images("grad_cam/0")[0].step == 3


def test_only_the_first_process_draws(
    network: FusionClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ignite.distributed.get_rank", lambda: 1)
    handler = GradCamPictures(network, open_writer(tmp_path))
    evaluate(network, patients(2), handler, 2)
    assert handler.views == []


@pytest.mark.parametrize("images", [None, 5])
def test_a_picture_for_each_new_patient(network: FusionClassifier, tmp_path: Path, images: int | None) -> None:
    items = patients(2, images)
    items[1]["scan"] = "P1-later"
    for item in items:
        item.setdefault("scan", item["subject"])
        del item["label"]
    handler = GradCamOverlays(network, tmp_path / "new", classes=("LGG", "HGG"))
    evaluate(network, items, handler, 1, postprocessing=ClassProbabilitiesd())
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["P0_gradcam.png", "P1-later_gradcam.png"]
    assert matplotlib.image.imread(tmp_path / "new" / "P0_gradcam.png").std() > 0.05


def test_no_picture_that_nobody_asked_for(network: FusionClassifier, tmp_path: Path) -> None:
    evaluate(network, patients(1), GradCamOverlays(network, tmp_path / "new", enabled=False), 1)
    assert not (tmp_path / "new").exists()


def test_of_a_bag_the_image_with_the_highest_probability_of_the_patients_class() -> None:
    """The second image is the surest of all, but of the other class."""
    samples = torch.tensor([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    images = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 8, 8)
    item = {"subject": "P", "clinical": [torch.tensor(0.5), torch.tensor(1.0)]}
    for output in ({"pred": samples.log()}, {"pred": samples.mean(dim=0), "samples": samples}):
        view = View.of_patient(item, {**output, "image": images})
        assert (view.name, view.class_index, view.modality) == ("P", 1, 2)
        assert view.probability == pytest.approx(0.55)
        assert view.image.unique().tolist() == [2]
        assert view.clinical is not None and view.clinical.tolist() == [[0.5, 1.0]]


def test_an_image_of_a_bag_knows_its_own_modality(network: FusionClassifier) -> None:
    """Slices of several series, each an image of its own: the third is one of the second series."""
    shares = torch.tensor([[0.7, 0.3], [0.5, 0.5], [0.1, 0.9], [0.5, 0.5]])
    output = {"pred": shares.mean(dim=0), "samples": shares, "image": torch.rand(4, 1, 40, 32)}
    view = View.of_patient({"subject": "P", "modality": torch.tensor([0, 0, 1, 1])}, output)
    assert view.modality == 1
    drawer = GradCamDrawer(
        FusionClassifier(backbone="resnet18", in_channels=1), modalities=("flair", "t2"), slices=True
    )
    assert titles(drawer.draw(view))[1] == "t2"


def titles(figure: Figure) -> tuple[str, str]:
    return figure.get_suptitle(), figure.axes[0].texts[-1].get_text()


def test_a_picture_tells_patient_class_probability_and_modality(network: FusionClassifier) -> None:
    view = View("P", torch.rand(3, 40, 32), torch.rand(1, 2), 1, 0.874, modality=2)
    assert titles(GradCamDrawer(network, classes=("LGG", "HGG")).draw(view)) == ("P: HGG (87%)", "t1ce")
    assert titles(GradCamDrawer(network, modalities=("a", "b", "c")).draw(view)) == ("P: class 1 (87%)", "c")
    assert len(GradCamDrawer(network, masks=True).draw(view).axes) == 3


def test_of_a_patients_slices_each_shows_all_modalities(network: FusionClassifier) -> None:
    view = View("P", torch.rand(3, 40, 32), torch.rand(1, 2), 1, 0.874, modality=2)
    figure = GradCamDrawer(network, modalities=("flair", "t1", "t2"), slices=True).draw(view)
    assert [axes.texts[-1].get_text() for axes in figure.axes[:3]] == ["flair", "t1", "t2"]


def test_an_overlay_never_leaves_the_folder(network: FusionClassifier, tmp_path: Path) -> None:
    (item,) = patients(1)
    handler = GradCamOverlays(network, tmp_path / "out", modalities=("a", "b", "c"))
    for subject in ("../escaped", "a/b"):
        with pytest.raises(OutputError, match="separator of folders"):
            evaluate(network, [{**item, "subject": subject}], handler, 1, postprocessing=ClassProbabilitiesd())
    assert not list(tmp_path.rglob("*.png"))
