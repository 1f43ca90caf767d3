from __future__ import annotations

from pathlib import Path

import pytest

from common.commands import ROOT
from common.demonstration.settings import list_jobs
from common.demonstration.steps import list_steps

JOBS = list_jobs(ROOT / "bundles")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As training leaves it."""
    for job in JOBS:
        split = tmp_path / job.bundle / "eval" / "split.json"
        split.parent.mkdir(parents=True)
        split.write_text('{"test": ["BraTS20_Training_002", "BraTS20_Training_003"]}')
        table = tmp_path / job.cohort.name / "MICCAI_BraTS2020_TrainingData" / "survival_info.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text("Brats20ID,Age,Survival_days\r\nBraTS20_Training_002,60.5,300\r\n")
    return tmp_path


def test_each_step_is_a_command_that_a_person_can_type(folder: Path) -> None:
    commands = [command for _, command in list_steps(folder, list(JOBS))]
    scripts = [command for command in commands if command[0] != "-m"]
    assert {command[0] for command in scripts} == {"scripts/make_phantoms.py", "scripts/check_dataset.py"}
    assert all((ROOT / command[0]).is_file() for command in scripts)
    made = [command[2] for command in scripts if command[0] == "scripts/make_phantoms.py"]
    assert len(made) == len(set(made))
    learning = next(index for index, command in enumerate(commands) if "training" in command)
    assert [command[0] for command in commands[:learning]] == ["scripts/make_phantoms.py", "scripts/check_dataset.py"]
    applied = [" ".join(command) for command in commands if "inferring" in command]
    assert len(applied) == len(JOBS)
    assert all("BraTS20_Training_002" in command or "slice_phantoms/pred" in command for command in applied)
    (healthy,) = [job for job in JOBS if job.healthy]
    learnt = [command for command in commands if "--healthy_dir" in command]
    assert len(learnt) == 2 and all(healthy.bundle in " ".join(command) for command in learnt)
    assert [command[command.index("--age") + 1] for command in commands if "--age" in command] == ["60.5"]
