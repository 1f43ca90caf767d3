from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.reports.knob_tables import read_knobs
from scripts import demo

GRADE, TUMOUR = "glioma_grade_classification", "brain_tumor_classification"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As training leaves it."""
    for job in demo.JOBS:
        split = tmp_path / job.bundle / "eval" / "split.json"
        split.parent.mkdir(parents=True)
        split.write_text('{"test": ["BraTS20_Training_002", "BraTS20_Training_003"]}')
        table = tmp_path / job.cohort.name / "MICCAI_BraTS2020_TrainingData" / "survival_info.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text("Brats20ID,Age,Survival_days\r\nBraTS20_Training_002,60.5,300\r\n")
    return tmp_path


def test_each_step_is_a_command_that_a_person_can_type(folder: Path) -> None:
    commands = [command for _, command in demo.steps(folder, list(demo.JOBS))]
    scripts = [command for command in commands if command[0] != "-m"]
    assert {command[0] for command in scripts} == {"scripts/make_phantoms.py", "scripts/check_dataset.py"}
    assert all((demo.ROOT / command[0]).is_file() for command in scripts)
    made = [command[2] for command in scripts if command[0] == "scripts/make_phantoms.py"]
    assert len(made) == len(set(made))
    learning = next(index for index, command in enumerate(commands) if "training" in command)
    assert [command[0] for command in commands[:learning]] == ["scripts/make_phantoms.py", "scripts/check_dataset.py"]
    applied = [" ".join(command) for command in commands if "inferring" in command]
    assert len(applied) == len(demo.JOBS)
    assert all("BraTS20_Training_002" in command or "slice_phantoms/pred" in command for command in applied)
    (healthy,) = [job for job in demo.JOBS if job.healthy]
    learnt = [command for command in commands if "--healthy_dir" in command]
    assert len(learnt) == 2 and all(healthy.bundle in " ".join(command) for command in learnt)
    assert [command[command.index("--age") + 1] for command in commands if "--age" in command] == ["60.5"]


def test_every_bundle_is_shown() -> None:
    assert {job.bundle for job in demo.JOBS} == {folder.name for folder in (demo.ROOT / "bundles").iterdir()}


def test_a_bundle_that_nobody_tuned_is_shown_with_the_knobs_that_it_has(tmp_path: Path) -> None:
    configs = tmp_path / "my_classification" / "configs"
    configs.mkdir(parents=True)
    (configs / "train.yaml").write_text("image_size: [240, 240]  # of a slice\nepochs: 60  # at most\n")
    (configs / "inference.yaml").write_text("checkpoint: model.pt  # weights\n")
    (job,) = demo.list_jobs(tmp_path)
    assert (job.bundle, job.cohort, job.healthy) == ("my_classification", demo.MANY, None)
    assert (job.knobs, job.learning, job.applying) == ({"image_size": "[64,64]"}, {"epochs": "1"}, {})


def test_the_demo_uses_knobs_that_there_are() -> None:
    for job in demo.JOBS:
        configs = demo.ROOT / "bundles" / job.bundle / "configs"
        known = {
            name: {knob.name for knob in read_knobs(configs / f"{name}.yaml")} for name in (job.train, job.inference)
        }
        assert {*job.knobs, *job.learning} <= known[job.train]
        assert {*job.applying} <= known[job.inference]


def test_the_end_tells_what_the_rule_of_the_phantoms_allows(folder: Path) -> None:
    found = {"mean": 0.71, "low": 0.62, "high": 0.8}
    tasks = {GRADE: "grade", TUMOUR: "tumour"}
    tells = {name: {"target": task, "measures": {"auc": found}} for name, task in tasks.items()}
    metrics = {
        **tells,
        "glioma_segmentation": {"mean_dice": found},
        "mgmt_classification": {
            "target": "mgmt",
            "subgroup": {},
            "measures": {"auc": {"mean": 0.44, "low": 0.2, "high": 0.7}},
        },
        "glioma_spatiospatial_classification": {
            "target": "volume_grade",
            "measures": {"auc": {"mean": 0.98, "low": 0.9, "high": 1.0}},
            "subgroup": {"measures": {"auc": found}},
        },
        "glioma_survival_classification": {"target": "survival", "survival": {"measures": {"concordance": found}}},
    }
    for bundle, content in metrics.items():
        (folder / bundle / "eval" / "metrics.json").write_text(json.dumps(content))
    picture = folder / "glioma_segmentation" / "predictions" / "p <1>" / "a.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    told = demo.closing(folder, list(demo.TUNED), 120)
    page = (folder / demo.INDEX).read_text(encoding="utf-8")
    assert told.splitlines()[-1].endswith(str(folder / demo.INDEX))
    assert all(f'href="{job.bundle}/eval/report.html"' in page for job in demo.TUNED)
    assert 'src="glioma_segmentation/predictions/p &lt;1&gt;/a.png"' in page
    assert "2.0 minutes" in told
    assert "AUC 0.71 (0.62 to 0.80); the whole tumour allows 1" in told
    assert told.count("the whole tumour allows 1") == 2
    assert "AUC 0.44 (0.20 to 0.70); the labels are random" in told
    assert (
        "AUC 0.98 (0.90 to 1.00), but healthy can be recognised by the scanner; LGG against HGG alone: AUC 0.71" in told
    )
    assert "concordance index (Harrell) 0.71 (0.62 to 0.80); mask and age allow 0.74" in told


def test_a_step_that_fails_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [("good", ["-c", "pass"]), ("bad", ["-c", "raise SystemExit(3)"]), ("never", ["-c", "open('x', 'w')"])]
    monkeypatch.setattr(demo, "steps", lambda *_: failing)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    kept = tmp_path / "out" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    assert demo.main(["--output", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "x").exists()
    assert kept.read_text() == "mine"


def test_the_terminal_shows_what_matters_and_the_log_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # As MONAI's command prints: notices, bars that overwrite themselves, measures; and our own lines.
    said = [
        "2026-11-26 19:39:18,001 - INFO - --- input summary of monai.bundle.scripts.run ---",
        "Training [1/6]: [1/40]   2%|#, loss=1.11 [00:00<?]\rTraining [1/6]: [40/40] 100%|#, loss=1 [00:18<00:00]",
        "2026-11-26 19:39:43,062 - INFO - Epoch[1] Metrics -- val_auc: 0.5564",
        "2026-11-26 19:39:43,063 - INFO - Key metric: val_auc best value: 0.5564 at epoch: 1",
        "19:39:18 INFO 360 cases are prepared",
    ]
    blanks = " " * 90 + "\x1b[A"  # a bar above another one is wiped before a line is written
    (tmp_path / "step.py").write_text("\n".join(f"print({blanks + line!r})" for line in said))
    log = tmp_path / "demo.log"
    module = ["-m", "step"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "ROOT", tmp_path)
        assert demo.run_step(module, log) == 0
    assert capfd.readouterr().out.splitlines() == [said[2], said[4]]
    kept = log.read_text(encoding="utf-8")
    assert "input summary" in kept and "loss=1.11" in kept


def test_a_step_that_fails_shows_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert demo.run_step(["-c", "print('a notice'); raise SystemExit('no space left')"], tmp_path / "log") == 1
    assert "no space left" in capfd.readouterr().err
