from __future__ import annotations

from pathlib import Path

from common.commands import ROOT
from common.demonstration.settings import MANY, list_jobs
from common.reports.knob_tables import read_knobs

JOBS = list_jobs(ROOT / "bundles")


def test_every_bundle_is_shown() -> None:
    assert {job.bundle for job in JOBS} == {folder.name for folder in (ROOT / "bundles").iterdir()}


def test_a_bundle_that_nobody_tuned_is_shown_with_the_knobs_that_it_has(tmp_path: Path) -> None:
    configs = tmp_path / "my_classification" / "configs"
    configs.mkdir(parents=True)
    (configs / "train.yaml").write_text("image_size: [240, 240]  # of a slice\nepochs: 60  # at most\n")
    (configs / "inference.yaml").write_text("checkpoint: model.pt  # weights\n")
    (job,) = list_jobs(tmp_path)
    assert (job.bundle, job.cohort, job.healthy) == ("my_classification", MANY, None)
    assert (job.knobs, job.learning, job.applying) == ({"image_size": "[64,64]"}, {"epochs": "1"}, {})


def test_the_demo_uses_knobs_that_there_are() -> None:
    for job in JOBS:
        configs = ROOT / "bundles" / job.bundle / "configs"
        known = {
            name: {knob.name for knob in read_knobs(configs / f"{name}.yaml")} for name in (job.train, job.inference)
        }
        assert {*job.knobs, *job.learning} <= known[job.train]
        assert {*job.applying} <= known[job.inference]
