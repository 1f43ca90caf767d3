"""From options to a page: folds that fail or are interrupted, and a real cross-validation of phantoms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.cohorts.reading import read_cohort
from common.commands import ROOT
from common.crossvalidation.command import cross_validate
from common.crossvalidation.options import Options
from common.errors import DatasetError, OutputError
from common.files import write_json, write_text
from common.knobs import parse_command_line
from common.reports.segmentation import summarise_cohort
from common.runs.processes import DONE, FAILED
from common.splits.manifest import SplitManifest, cohort_hash
from tests.short_reports import shorten_reports

MakeOptions = Callable[..., Options]
Leave = Callable[..., None]
TESTS = ("AB", "CD", "EF")


class Runner:
    """Stands in for processes: an evaluation leaves its fold's results; a fold in ``fails`` breaks off."""

    def __init__(self, leave: Leave, tests: Sequence[str] = TESTS, fails: Mapping[int, str] | None = None) -> None:
        self.leave, self.tests, self.fails = leave, tests, fails or {}
        self.commands: list[tuple[str, int, bool]] = []

    def __call__(self, command: Sequence[str], log: Path) -> int:
        _, settings = parse_command_line(command[2:])
        kind, fold, folder = command[3], settings["fold"], Path(settings["output_dir"])
        self.commands.append((kind, fold, bool(settings.get("resume"))))
        log.touch()
        if kind == "training":
            write_text(folder / "model_last.pt", "")
        if self.fails.get(fold) == kind:
            log.write_text("MemoryError: too large\n")
            return 1
        if kind == "evaluating":
            self.leave(folder, list(self.tests[fold]))
        return 0


@pytest.fixture
def on_phantoms(options: MakeOptions, phantom_dir: Path) -> MakeOptions:
    return lambda **others: options(**{"data": {"dataset_dir": phantom_dir}, **others})


def read(options: Options) -> tuple[pd.DataFrame, dict[str, Any], str]:
    table = pd.read_csv(options.output / "table.csv", index_col=0, dtype=str)
    content = json.loads((options.output / "table.json").read_text(encoding="utf-8"))
    return table, content, (options.output / "table.html").read_text(encoding="utf-8")


def test_every_patient_is_judged_once(on_phantoms: MakeOptions, leave_fold: Leave) -> None:
    given = on_phantoms(settings={"epochs": "1"})
    assert {outcome.state for outcome in cross_validate(given, Runner(leave_fold))} == {DONE}
    table, content, page = read(given)
    assert list(table) == ["all patients", "mean over the folds", "fold 0", "fold 1", "fold 2"]
    assert content["answer"]["mean"] == pytest.approx(8 / 9)
    assert table.loc["AUC", "all patients"].startswith("0.889 (")
    rows = pd.read_csv(given.output / "predictions.csv")
    assert (rows["subject"].to_list(), rows["fold"].to_list()) == (list("ABCDEF"), [0, 0, 1, 1, 2, 2])
    for told in (
        "<b>AUC 0.89",
        "on 6 patients, each judged once",
        "These are phantoms",
        "epochs = 1",
        "Only 6 patients",
    ):
        assert told in page, told
    assert "Voxel size tells the label." in page
    assert "In 0 of 3 folds" in page


def leave_volumes(folder: Path, test: Sequence[str]) -> None:
    """What the evaluation of a fold of volumes leaves; the tumour of A is missed."""
    rest = [name for name in "ABCDEF" if name not in test]
    sides = {"train": tuple(rest[1:]), "validation": tuple(rest[:1]), "test": tuple(test)}
    SplitManifest(sides, cohort_hash(list("ABCDEF"))).save(folder / "split.json")
    rows = pd.DataFrame({"subject": list(test), "slices": 4})
    for region in ("WT", "TC", "ET"):
        for measure in ("dice", "lesion_dice", "nsd", "hd95"):
            rows[f"{measure}_{region}"] = [0.0 if name == "A" else 0.8 for name in test]
        rows[[f"true_ml_{region}", f"predicted_ml_{region}"]] = 1.0
    rows[["soft_dice_NCR", "soft_dice_ED", "soft_dice_ET"]] = 0.5
    rows.to_csv(folder / "predictions.csv", index=False)
    facts = {"task": "segmentation", "side": "test", "protocol": "patient", "unit": "subject", "recipe": "ours"}
    warned = {"weights": {"epoch": 3}, "shortcuts": {"warnings": []}}
    write_json(folder / "metrics.json", {**facts, **warned, **summarise_cohort(rows)})


def test_a_segmentation_tells_its_measures_rules_and_shows_no_more_than_its_reports(on_phantoms: MakeOptions) -> None:
    given = on_phantoms(bundle=ROOT / "bundles" / "glioma_segmentation")
    assert {outcome.state for outcome in cross_validate(given, Runner(leave_volumes))} == {DONE}
    table, _, page = read(given)
    assert table.loc["lesion-wise Dice WT", "all patients"].startswith("0.667 (")
    assert "<li>lesion-wise Dice: mean over the true lesions" in page
    assert re.findall(r"<td>([A-F])</td>", page)[-1] == "A", "the worst is the last"
    assert "soft_<wbr>dice" not in page
    assert "AUC" not in page


def test_random_splits_are_averaged_and_never_pooled(on_phantoms: MakeOptions, leave_fold: Leave) -> None:
    given = on_phantoms(scheme="montecarlo")
    cross_validate(given, Runner(leave_fold, tests=("AB", "BC", "AF")))
    table, content, page = read(given)
    assert list(table) == ["mean over the folds", "fold 0", "fold 1", "fold 2"]
    assert content["answer"]["mean"] == pytest.approx(2 / 3)  # BC: the HGG stands below the LGG
    assert "Patients are tested 1 to 2 times." in page
    assert "all patients" not in table
    assert len(pd.read_csv(given.output / "predictions.csv")) == 6


def test_a_fold_that_failed_is_told_and_the_same_command_does_only_what_is_left(
    on_phantoms: MakeOptions, leave_fold: Leave
) -> None:
    given = on_phantoms()
    first = Runner(leave_fold, fails={1: "training", 2: "evaluating"})
    assert [outcome.state for outcome in cross_validate(given, first)] == [DONE, FAILED, FAILED]
    table, content, page = read(given)
    assert list(table) == ["all patients", "mean over the folds", "fold 0"]
    assert "1 of 3 folds are done" in page
    assert content["runs"][1]["last error"] == "exit code 1: MemoryError: too large"
    again = Runner(leave_fold)
    assert {outcome.state for outcome in cross_validate(given, again)} == {DONE}
    training, judging = "training", "evaluating"
    assert again.commands == [(training, 1, True), (judging, 1, False), (training, 2, True), (judging, 2, False)]
    assert "3 of 3 folds are done" in read(given)[2]


def test_without_a_finished_fold_nothing_is_written(on_phantoms: MakeOptions, leave_fold: Leave) -> None:
    given = on_phantoms()
    cross_validate(given, Runner(leave_fold, fails=dict.fromkeys(range(3), "training")))
    assert not (given.output / "table.html").exists()


def test_folds_of_other_settings_are_not_mixed(on_phantoms: MakeOptions, leave_fold: Leave) -> None:
    cross_validate(on_phantoms(), Runner(leave_fold))
    with pytest.raises(OutputError, match="begun with other settings \\(epochs unset, now 9\\)"):
        cross_validate(on_phantoms(settings={"epochs": "9"}), Runner(leave_fold))
    with pytest.raises(OutputError, match="begun with other settings"):
        cross_validate(on_phantoms(folds=4), Runner(leave_fold))


def test_the_data_set_is_looked_at_before_anything_runs(options: MakeOptions, leave_fold: Leave) -> None:
    runner = Runner(leave_fold)
    with pytest.raises(DatasetError):
        cross_validate(options(), runner)
    assert runner.commands == []


@pytest.mark.parametrize(
    ("bundle", "columns", "given"),
    [
        ("glioma_survival_classification", ("seg", "age", "survival_days"), {"config": "train_masks"}),
        ("glioma_grade_classification", ("flair", "grade"), {"settings": {"modalities": "[flair]"}}),
        ("glioma_grade_classification", ("t2", "grade"), {"search": {"modalities": ("[t2]", "[t2,t1]")}}),
        ("glioma_spatiospatial_classification", ("t1", "grade"), {"settings": {"modalities": "[t1]"}}),
    ],
)
def test_a_list_needs_what_the_bundle_reads(
    options: MakeOptions, phantom_dir: Path, tmp_path: Path, bundle: str, columns: Sequence[str], given: dict
) -> None:
    cases = [
        {"subject": record["subject"], **{column: record[column] for column in columns if column in record}}
        for record in read_cohort(phantom_dir)
    ]
    write_json(tmp_path / "list.json", {"training": cases})
    data = {"datalist": tmp_path / "list.json"}
    started: list[Sequence[str]] = []

    def start(command: Sequence[str], log: Path) -> int:
        started.append(command)
        log.touch()
        return 1

    cross_validate(options(bundle=ROOT / "bundles" / bundle, data=data, **given), start)
    assert len(started) >= 3


@pytest.mark.slow
def test_phantoms_from_files_to_page(tmp_path: Path) -> None:
    """Three real folds in this process: the bundle's own configs draw the splits that are pooled."""
    from monai.bundle import run

    from common.phantoms.layouts.br35h import make_br35h_phantoms

    def start(command: Sequence[str], log: Path) -> int:
        files, settings = parse_command_line(command[2:])
        run(run_id=command[3], config_file=files, **settings)
        return 0

    images = make_br35h_phantoms(tmp_path / "images", originals=9, copies=1, side=100)
    knobs = {"image_size": "[32,32]", "filters": "4", "units": "[16]", "epochs": "1", "num_workers": "0"}
    given = Options(
        ROOT / "bundles" / "brain_tumor_classification",
        tmp_path / "out",
        {"dataset_dir": images},
        folds=3,
        settings=knobs,
        device="cpu",
    )
    with shorten_reports():
        assert {outcome.state for outcome in cross_validate(given, start)} == {DONE}
    rows = pd.read_csv(given.output / "predictions.csv")
    _, content, page = read(given)
    pictures = {str(path.relative_to(images).with_suffix("")) for path in images.glob("[yn]*/*.jpg")}
    assert set(rows["scan"]) == pictures
    assert rows["scan"].is_unique
    assert rows.groupby("subject")["fold"].nunique().max() == 1
    assert content["columns"]["all patients"]["AUC"]["n"] == rows["subject"].nunique()
    assert "each judged once" in page


def test_what_any_fold_warns_of_is_told_not_that_of_the_first_alone(
    on_phantoms: MakeOptions, leave_fold: Leave
) -> None:
    given = on_phantoms()
    cross_validate(given, Runner(leave_fold))
    page = read(given)[2]
    assert "times in this folder" not in page
    assert "was chosen on the test side" not in page
    for fold, facts in enumerate(({"test_evaluations": 1}, {"test_evaluations": 3}, CHOSEN_ON_TEST)):
        path = given.output / f"fold-{fold}" / "metrics.json"
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), **facts})
    cross_validate(given, Runner(leave_fold))
    page = read(given)[2]
    assert "evaluated 3 times in this folder" in page
    assert "was chosen on the test side" in page


CHOSEN_ON_TEST = {"weights": {"epoch": 3, "chosen_on": "test"}}
