from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from monai.bundle import create_workflow

from common.errors import KnobError
from common.workflow import CheckedWorkflow

CONFIGS = Path(__file__).resolve().parents[1] / "bundles" / "glioma_segmentation" / "configs"
FILES = [str(CONFIGS / f"{name}.yaml") for name in ("train", "evaluate")]


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("epochz", "--epochs"),
        ("flip", "--flips"),
        ("network_def#hed", "--network_def#head"),
        ("trian#trainer", "--train"),
    ],
)
def test_a_misspelt_override_is_refused_before_anything_is_made(override: str, near: str, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=rf"--{override}: .*{near}") as caught:
        CheckedWorkflow(FILES, bundle_root=str(tmp_path), **{override: 3})
    assert len(caught.value.problems) == 1


def test_known_overrides_and_options_pass() -> None:
    overrides: dict[str, Any] = {"epochs": 3, "loss#lambda_ce": 0.5, "train#trainer#max_epochs": 2}
    workflow = CheckedWorkflow(FILES, workflow_type="train", logging_file=False, **overrides)
    assert workflow.parser["epochs"] == 3
    assert workflow.parser["train#trainer#max_epochs"] == 2


def test_monai_finds_it_by_its_name(tmp_path: Path) -> None:
    config = tmp_path / "train.yaml"
    config.write_text("epochs: 1\ninitialize: []\nrun: [$@epochs]\n")
    name = "common.workflow.CheckedWorkflow"
    workflow = create_workflow(name, str(config), workflow_type=None, logging_file=False, epochs=4)
    assert isinstance(workflow, CheckedWorkflow)
    assert workflow.run() == [4]
    with pytest.raises(KnobError, match=r"--epochz: .*--epochs"):
        create_workflow(name, str(config), workflow_type=None, logging_file=False, epochz=4)
