from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from common.commands import ROOT
from common.packaging.consumers import COHORTS, as_markdown, is_green, trial_of, try_bundle
from common.packaging.consumers.agreement import Wrong
from common.packaging.consumers.applications import application_cells
from common.packaging.consumers.cells import folder_alone
from common.packaging.consumers.workplace import Workplace
from common.packaging.package import Package
from common.reports.knob_tables import read_knobs

BUNDLES = sorted(path.parent for path in (ROOT / "bundles").glob("*/configs"))


def test_what_was_not_tried_and_what_is_wrong() -> None:
    rows = {"one": {"load": "ok", "Deploy": "ok (4 tests)"}, "two": {"load": "WRONG: other weights\nsecond line"}}
    lines = as_markdown(rows).splitlines()
    assert lines[0] == "| bundle | folder alone | zip elsewhere | zoo full | Label infer | Deploy | load | MonaiAlgo |"
    assert lines[2].split(" | ")[4:7] == ["not tried", "ok (4 tests)", "ok"]
    assert lines[3].split(" | ")[6] == "WRONG"
    assert lines[5:] == ["two, load: WRONG: other weights", "second line"]
    assert (is_green(rows), is_green({"one": rows["one"]})) == (False, True)


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    for name in ("yes/y1.jpg", "yes/y0.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).touch()
    (tmp_path / "series" / "train" / "00000" / "FLAIR").mkdir(parents=True)
    (tmp_path / "volumes" / "training" / "BraTS20_Training_001").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_every_bundle_is_tried_with_knobs_that_it_has(bundle: Path, phantoms: Path) -> None:
    trial = trial_of(bundle, phantoms)
    assert trial.cohort in COHORTS
    assert trial.learning["epochs"] == 1 and trial.learning["dataset_dir"] == str(phantoms / trial.cohort)
    for config, given in (("train", trial.learning), ("inference", {**trial.network, **trial.applied})):
        assert given.keys() <= {knob.name for knob in read_knobs(bundle / "configs" / f"{config}.yaml")}


class Bare:
    """Answers every command alike, and notes where it was run."""

    def __init__(self, code: int, told: str) -> None:
        self.answer, self.asked = CompletedProcess[str]([], code, "", told), []  # type: ignore[var-annotated]

    def run(self, words: list[str], cwd: Path) -> CompletedProcess[str]:
        self.asked.append((words, cwd))
        return self.answer


def place_for(bare: Any, phantoms: Path, tmp_path: Path) -> Workplace:
    root = tmp_path / "work" / "repository" / BUNDLES[0].name
    root.mkdir(parents=True)
    package = Package(tmp_path / "dist", tmp_path / "dist.zip", "", ())
    return Workplace(trial_of(BUNDLES[0], phantoms), tmp_path / "work", bare, root, package)


def test_a_folder_alone_is_asked_four_times_from_inside(phantoms: Path, tmp_path: Path) -> None:
    bare = Bare(1, "Traceback\ncommon is missing: make package, or …")
    assert folder_alone(place_for(bare, phantoms, tmp_path)) == "names `make package`"
    runs = [(*words[2:4], cwd) for words, cwd in bare.asked]
    inside = tmp_path / "work" / "alone" / BUNDLES[0].name
    assert [run[1] for run in runs] == ["training", "evaluating", "inferring", "--net_id"]
    assert {run[2] for run in runs} == {inside}
    assert not any("--bundle_root" in words for words, _ in bare.asked)


@pytest.mark.parametrize(("code", "told"), [(0, "make package"), (1, "make package\nModuleNotFoundError: common")])
def test_a_folder_alone_that_works_or_tells_nothing_is_wrong(
    code: int, told: str, phantoms: Path, tmp_path: Path
) -> None:
    with pytest.raises(Wrong, match="training does not name make package"):
        folder_alone(place_for(Bare(code, told), phantoms, tmp_path))


@pytest.mark.slow
def test_what_fails_at_home_is_wrong_everywhere(phantoms: Path, tmp_path: Path) -> None:
    row = try_bundle(trial_of(BUNDLES[0], phantoms), tmp_path / "work", Bare(0, ""))  # type: ignore[arg-type]
    assert set(row) == {"folder alone", "zip elsewhere", "load", "MonaiAlgo", "zoo full"}
    assert all(told.startswith("WRONG: in this repository, training fails:\n") for told in row.values())
    assert "DatasetError" in row["load"]


def test_the_cells_of_an_application_are_its_tests(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('name', ['good', 'bad'])\n"
        "def test_answers(name):\n    assert name == 'good'\n"
        "@pytest.mark.parametrize('name', ['good'])\n"
        "def test_more(name):\n    pass\n"
        "@pytest.mark.parametrize('name', ['good', 'unknown'])\n"
        "def test_skipped(name):\n    pytest.skip()\n"
    )
    names = ["good", "bad", "unknown"]
    cells = application_cells(Path(sys.executable), tmp_path / "tests", names, tmp_path / "report.xml")
    assert cells == {"good": "ok (2 tests)", "bad": "WRONG: test_answers[bad]", "unknown": "WRONG: no test ran"}
