from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.errors import OutputError
from common.handlers import LearningRateCurve, SegmentationPictures, open_writer


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder / "tensorboard"))
    accumulator.Reload()
    return accumulator


def volume(subject: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    label = torch.zeros(1, 32, 32, 3)
    label[:, 8:16, 8:16, 1] = 2
    logits = torch.nn.functional.one_hot(label[0].long(), 4).movedim(-1, 0).float()
    output = {"image": torch.rand(4, 32, 32, 3), "label": label, "pred": logits}
    return {"subject": subject}, output


def test_pictures_and_a_confusion_matrix_are_written(tmp_path: Path) -> None:
    volumes = [volume(f"P{number}") for number in range(3)]
    writer = open_writer(tmp_path)
    pictures = SegmentationPictures(writer, volumes=2)

    def step(engine: Engine, number: int) -> list[Any]:
        item, output = volumes[number]
        engine.state.batch = [item]  # type: ignore[assignment]
        return [output]

    engine = Engine(step)
    pictures.attach(engine)  # type: ignore[arg-type]
    engine.run(range(3), max_epochs=1)
    found = events(tmp_path)
    assert sorted(found.Tags()["images"]) == ["confusion_matrix", "panels/0", "panels/1"]
    (picture,) = found.Images("panels/0")
    assert (picture.step, picture.height > 100, picture.width > 300) == (1, True, True)
    assert np.array_equal(pictures.confusion, np.diag([3 * (32 * 32 * 3 - 64), 0, 3 * 64, 0]))
    engine.run(range(3), max_epochs=1)
    assert pictures.confusion.sum() == 3 * 32 * 32 * 3  # of the last validation alone


def test_only_the_first_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    writer = open_writer(tmp_path)
    writer.add_scalar("loss", 1.0, 1)
    writer.add_figure("panel", Figure(), 1)
    writer.flush()
    writer.close()
    engine = Engine(lambda *_: None)
    SegmentationPictures(writer).attach(engine)  # type: ignore[arg-type]
    engine.run(range(1))  # there is nothing to draw, and nobody looks for it
    assert list(tmp_path.iterdir()) == []


def test_the_learning_rate_of_each_epoch_is_written(tmp_path: Path) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    writer = open_writer(tmp_path)
    curve: Any = LearningRateCurve(optimizer, writer)
    for epoch in (1, 2):
        curve(SimpleNamespace(state=SimpleNamespace(epoch=epoch, iteration=0)))
        optimizer.param_groups[0]["lr"] /= 5
    writer.close()
    assert [(event.step, round(event.value, 6)) for event in events(tmp_path).Scalars("learning_rate")] == [
        (1, 0.5),
        (2, 0.1),
    ]


def test_what_keeps_the_thread_from_writing_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    writer = open_writer(tmp_path)
    shutil.rmtree(tmp_path)  # the thread opens its file anew for every write
    writer.add_scalar("loss", 1.0, 1)
    time.sleep(0.2)
    with pytest.raises(OutputError, match=r"tensorboard: cannot be written \(no such file"):
        for step in range(100):
            writer.add_scalar("loss", 1.0, step)
            writer.flush()
    assert "Traceback" not in capfd.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "eval").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        open_writer(tmp_path / "eval")


def test_an_interrupted_epoch_that_comes_again_is_there_once(tmp_path: Path) -> None:
    """The first epoch ended with iteration 10, the second was interrupted after 30."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    for resumed, steps in ((0, (10, 20, 30)), (10, (20, 30, 40))):
        writer = open_writer(tmp_path)
        engine: Any = SimpleNamespace(state=SimpleNamespace(iteration=resumed, epoch=resumed // 10 + 1))
        LearningRateCurve(optimizer, writer)(engine)
        for step in steps:
            writer.add_scalar("loss", float(step + resumed), step)
        writer.close()
        time.sleep(1.1)  # files are named, and read, by the second
    found = events(tmp_path)
    assert [(each.step, each.value) for each in found.Scalars("loss")] == [(10, 10), (20, 30), (30, 40), (40, 50)]
    assert [each.step for each in found.Scalars("learning_rate")] == [1, 2]
