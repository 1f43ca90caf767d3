from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from common.cohorts.phantom_mark import MARK
from common.errors import CheckpointError
from common.handlers import Judged, SegmentationReport
from common.splits.draw import draw_split

GEOMETRY = {"spacing": [1.0, 1.0, 1.0]}


def volume(missed: int, **names: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Four voxels of oedema, of which the network misses some."""
    truth = torch.zeros(8, 8, 2, dtype=torch.long)
    truth[:4, 0, 1] = 2
    predicted = truth.clone()
    predicted[:missed, 0, 1] = 0
    logits = torch.nn.functional.one_hot(predicted, 4).movedim(-1, 0).float() * 100
    item = {**names, "geometry": GEOMETRY, "whole": True}
    return item, {"image": torch.rand(4, 8, 8, 2), "label": truth[None], "pred": logits}


@pytest.fixture
def judge(tmp_path: Path) -> Any:
    """Judges volumes and returns the table, the metrics and the page."""

    def judge(
        *volumes: Any, mark: str = "a patient", side: str = "test", slice_size: Any = None, **rule: float
    ) -> tuple[pd.DataFrame, dict[str, Any], str]:
        image = nib.Nifti1Image(np.ones((8, 8, 2), np.int16), np.eye(4))
        image.header["descrip"] = mark
        nib.save(image, tmp_path / "flair.nii.gz")
        names = [{key: item[key] for key in ("subject", "scan") if key in item} for item, _ in volumes]
        records = [{**name, "source": "x", "flair": str(tmp_path / "flair.nii.gz")} for name in names]
        split = draw_split([{"subject": record["subject"]} for record in records], method="external")
        judged = Judged(records, split, side, {"stage": 1, "epoch": 1, "slice_size": slice_size})
        report = SegmentationReport(tmp_path / "out", "segmentation", judged, **rule)
        engine: Any = SimpleNamespace(state=SimpleNamespace())
        report.start(engine)
        for item, output in volumes:
            engine.state.batch, engine.state.output = [item], [output]
            report.collect(engine)
        report.finish(engine)
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        return pd.read_csv(tmp_path / "out" / "predictions.csv"), metrics, page

    return judge


def test_a_volume_that_a_sampler_repeated_counts_once(judge: Any, tmp_path: Path) -> None:
    rows, metrics, page = judge(volume(4, subject="B"), volume(0, subject="A"), volume(0, subject="A"))
    assert rows["subject"].tolist() == ["A", "B"]
    assert "scan" not in rows
    assert metrics["regions"]["WT"]["dice"]["mean"] == 0.5
    assert "scans" not in metrics
    assert "2 patients (4 slices)" in page
    confusion = np.loadtxt(tmp_path / "out" / "confusion_matrix.csv", delimiter=",")
    assert (confusion.sum(), confusion[2, 0], confusion[2, 2]) == (2 * 8 * 8 * 2, 4, 4)


def test_phantoms_are_told_in_the_metrics_and_on_the_page(judge: Any, tmp_path: Path) -> None:
    _, metrics, page = judge(volume(0, subject="A"))
    assert metrics["phantom"] is False
    assert "phantom" not in page
    _, metrics, page = judge(volume(0, subject="A"), mark=MARK)
    assert metrics["phantom"] is True
    assert "These are phantoms" in page


def test_voxels_of_resized_slices_have_their_own_size(judge: Any) -> None:
    """4 x 4 pixels of 1 mm, resized to 8 x 8: four voxels of a quarter, and a distance of two pixels is 1 mm."""
    item, output = volume(0, subject="A")
    item["geometry"] = {"spacing": [1.0, 1.0, 1.0], "shape": [4, 4, 2]}
    output["pred"] = output["pred"].roll(2, dims=2)
    rows, _, _ = judge((item, output), slice_size=[8, 8])
    assert rows[["true_ml_WT", "hd95_WT"]].to_numpy().tolist() == [[0.001, 1.0]]


def test_scans_have_rows_and_names_of_their_own_and_patients_count_once(judge: Any) -> None:
    rows, metrics, page = judge(
        volume(0, subject="A", scan="A-0"), volume(4, subject="A", scan="A-1"), volume(0, subject="B")
    )
    assert rows[["subject", "scan", "dice_WT"]].to_numpy().tolist() == [["A", "A-0", 1], ["A", "A-1", 0], ["B", "B", 1]]
    dice = metrics["regions"]["WT"]["dice"]
    assert (metrics["patients"], metrics["scans"], dice["n"], dice["mean"]) == (2, 3, 2, 0.75)
    assert "2 patients (3 scans, 6 slices)" in page
    assert "Cohort: x (2)" in page
    assert "A-1: WT Dice 0.000, rank 3 of 3" in page


def with_island() -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """A tumour of four voxels that the network finds, with an island of one voxel far away."""
    item, output = volume(0, subject="A")
    output["pred"][:, 7, 7, 1] = torch.tensor([0.0, 0.0, 100.0, 0.0])
    return item, output


def test_a_rule_for_small_parts_is_shown_beside_what_the_network_gave(judge: Any, tmp_path: Path) -> None:
    rows, metrics, page = judge(with_island(), smallest_component=0.002)
    assert rows["dice_WT"].tolist() == [1]
    assert rows["predicted_ml_WT"].tolist() == [0.004]
    assert not [name for name in rows if "@" in name]
    assert metrics["regions"]["WT"]["dice"]["mean"] == 1
    found = {name: rule["regions"]["WT"]["dice"]["mean"] for name, rule in metrics["component_rules"].items()}
    assert found == {"none": pytest.approx(8 / 9), "islands under 0.002 ml": 1}
    assert "islands under 0.002 ml (used)" in page
    assert "never by this table" in page
    table = pd.read_csv(tmp_path / "out" / "component_rules.csv").set_index("component_rule")
    assert table["dice_WT"].to_dict() == pytest.approx(found)
    confusion = np.loadtxt(tmp_path / "out" / "confusion_matrix.csv", delimiter=",")
    assert confusion[0, 2] == 0


def test_rules_are_compared_on_the_validation_side_alone(judge: Any) -> None:
    _, metrics, page = judge(with_island(), side="validation")
    assert metrics["component_rule"] == "none"
    found = {name: rule["regions"]["WT"]["dice"]["mean"] for name, rule in metrics["component_rules"].items()}
    assert found["none"] == metrics["regions"]["WT"]["dice"]["mean"] == pytest.approx(8 / 9)
    assert found["islands under 0.1 ml"] == 1
    assert "Choose by this side" in page
    _, metrics, page = judge(with_island())
    assert "component_rules" not in metrics
    assert "Small parts" not in page


def test_slices_that_are_no_volume_take_no_rule(judge: Any) -> None:
    item, output = with_island()
    rows, metrics, _ = judge(({**item, "whole": False}, output), smallest_component=1, side="validation")
    assert rows["dice_WT"].tolist() == [pytest.approx(8 / 9)]
    assert "component_rules" not in metrics


def test_logits_that_are_no_numbers_are_not_taken_for_background(judge: Any, tmp_path: Path) -> None:
    item, output = volume(0, subject="A")
    output["pred"][:, 0, 0, 0] = torch.nan
    with pytest.raises(CheckpointError, match="answer for A is not a number"):
        judge((item, output))
    assert not (tmp_path / "out").exists()


def test_a_segmentation_is_not_done_before_its_page_is(
    judge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(volume(0, subject="A"), side="validation")
    assert (tmp_path / "out" / "component_rules.csv").exists()
    monkeypatch.setattr("common.handlers.segmentation_report.write_page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judge(volume(4, subject="A"))
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert "predictions.csv" in left
    assert not {"metrics.json", "component_rules.csv"} & left
