from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import KnobError
from common.knobs import check_overrides, merged_config
from common.reproduction.figures.drawings import DRAWINGS
from common.reproduction.options import Options
from common.reproduction.papers.catalogue import TABLES, find_table
from common.reproduction.papers.p1_choices import BEST_HEAD, FIRST_HEAD
from common.reproduction.recipes import GRADE, SURVIVAL, TUMOUR, VOLUME, plan_table
from common.reproduction.table_plan import BY_PATIENT, COLUMNS, OURS, PERMUTED, PUBLISHED
from common.runs.steps import Run, Step
from common.tasks import volume_grade
from common.tasks.segmentation import BACKGROUND_THAT_FITS

MakeOptions = Callable[..., Options]

RUNS = {
    "p1-table1": 0,  # of the data set alone
    "p1-table2": 8 * 2 * 3,
    "p1-table3": 14 * 2 * 3,  # 16 options, three of which are the first head
    "p1-table4": 5 * 10 * 2 * 3,
    "p1-table5": 3,
    "p1-table6": 3,
    "p2-table1": 2 * 3 * 3,
    "p2-table2": 2 * 3 * 3,
    "p3-table1": 3,
    "p3-table2": 3,
    "p3-table3": 3,
    "p4-table1": 6 * 3 * 3,
    "p5": 3,
}


def all_steps(runs: list[Run]) -> list[Step]:
    return [step for run in runs for step in run.steps]


def find_run(name: str, runs: list[Run]) -> Run:
    return next(run for run in runs if run.name == name)


def leave_split(step: Step) -> None:
    """The split that an earlier run of the table leaves."""
    if path := step.settings.get("split_file"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


@pytest.mark.parametrize("name", TABLES)
def test_every_command_of_a_table_sets_knobs_that_its_configs_know(name: str, options: MakeOptions) -> None:
    table = find_table(name)
    runs = plan_table(table, options(device="cpu"))
    assert len(runs) == RUNS[name]
    assert len({run.folder for run in runs}) == len(runs)
    seen = set()
    for step in all_steps(runs):
        kind = (step.files, frozenset(step.settings))
        if kind not in seen:
            leave_split(step)
            check_overrides(step.command(resume=step.run_id == "training")[2:])
            seen.add(kind)


@pytest.mark.parametrize("name", TABLES)
def test_columns_differ_in_their_split_or_in_their_recipe_alone(name: str, options: MakeOptions) -> None:
    table = find_table(name)
    groups = {column: [run for run in plan_table(table, options()) if run.column == column] for column in COLUMNS}
    for theirs, between, ours in zip(*groups.values(), strict=True):
        for one, other, third in zip(theirs.steps, between.steps, ours.steps, strict=False):
            assert one.configs == other.configs
            assert {"paper", "paper_masks"} & {*other.configs}
            assert tuple(config for config in other.configs if not config.startswith("paper")) == third.configs
            splits = [step.settings["split_by"] for step in (one, other, third)]
            assert splits == ["paper", "patient", "patient"]
            assert {step.settings.get("seed") for step in (one, other, third)} == {None}  # the bundles' own, in all
            paths = ("output_dir", "weights", "init_weights", "segmentation", "split_file")
            knobs = [
                {name: value for name, value in step.settings.items() if name not in paths} for step in (other, third)
            ]
            assert knobs[0] == knobs[1]


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_is_drawn_of_networks_of_its_table(name: str) -> None:
    table = find_table(name)
    for figure in table.figures:
        assert {*figure.models.values()} <= {model.name for model in table.models}
        assert figure.drawing in DRAWINGS
        assert find_table(figure.name) == table
        assert all(len(values) == len(figure.measures) for values in figure.published.values() if figure.measures)


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_read_from_a_model_of_its_table(name: str) -> None:
    table = find_table(name)
    assert {cell.model for cell in table.cells} == {model.name for model in table.models}
    places = [(cell.row, cell.column) for cell in table.cells]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", TABLES)
def test_each_run_ends_with_an_evaluation_of_what_it_has_trained(name: str, options: MakeOptions) -> None:
    for run in plan_table(find_table(name), options()):
        trainings = [step for step in run.steps if step.run_id == "training"]
        evaluations = run.steps[len(trainings) :]
        assert {step.run_id for step in evaluations} == {"evaluating"}
        assert evaluations[-1].settings["output_dir"] == run.folder  # whose measures tell that the run is done
        places = {step.settings["output_dir"] for step in run.steps if step.run_id == "evaluating"}
        assert len(places) == len(evaluations)
        for step in evaluations:
            assert step.settings["weights"] in [training.settings["weights"] for training in trainings]


@pytest.mark.parametrize(
    ("name", "row", "column", "printed"),
    [
        ("p1-table2", "inception_v3", "grade macro F1", 0.96),
        ("p1-table2", "resnet50", "survival macro F1", 0.16),
        ("p1-table3", "Number of neurons: 256, 256", "survival macro F1", 0.16),
        ("p1-table3", "Learning rate: 0.002", "grade macro F1", 0.92),
        ("p1-table4", "90% survival", "f1", 0.40),
        ("p1-table4", "60% survival", "precision", 0.24),
        ("p1-table5", "HGG", "recall", 0.99),
        ("p1-table5", "macro average", "accuracy", 0.97),
        ("p1-table6", "long", "f1", 0.88),
        ("p2-table1", "Fold 2", "A: specificity", 0.974),
        ("p2-table1", "Fold 3", "B: sensitivity", 0.9725),
        ("p2-table1", "Mean", "B: specificity", 0.9848),
        ("p2-table1", "Held-out test", "A: AUC", 0.9994),
        ("p2-table2", "specificity", "network B", 0.9769),
        ("p3-table1", "ED", "soft Dice", 0.8275),
        ("p3-table1", "validation, last epoch of stage 3", "loss", 0.0694),
        ("p3-table2", "1 (mid)", "accuracy, slices", 0.5158),
        ("p3-table2", "0 (short)", "AUC, slices", 0.78),
        ("p3-table2", "0 (short)", "AUC, patients", None),
        ("p3-table3", "2 (long)", "majority vote, slices counted", 0.9796),
        ("p3-table3", "overall", "all slices", 0.6014),
        ("p3-table3", "overall", "majority vote, patients counted", None),
        ("p4-table1", "ResNet 3D", "parameters", 34_261_634),
        ("p4-table1", "ResNet 3D", "training step, s", None),
        ("p4-table1", "Pre-trained ResNet 3D", "F1 healthy", 0.9998),
        ("p4-table1", "ResNet (2+1)D", "weighted F1", 0.9325),
        ("p4-table1", "Pre-trained ResNet (2+1)D", "F1 LGG", 0.8738),
        ("p4-table1", "ResNet Mixed Convolution", "F1 HGG", 0.8331),
        ("p4-table1", "Pre-trained ResNet Mixed Convolution", "macro F1", 0.9654),
        ("p4-table1", "Pre-trained ResNet Mixed Convolution", "LGG against HGG: AUC", None),
        ("p5", "training accuracy, first epoch", "ResNet18", 0.6049),
        ("p5", "training accuracy, last epoch", "ResNet18", 0.93),
        ("p5", "validation accuracy, best epoch", "ResNet18", 0.8703),
        ("p3-table2", "training, best epoch", "accuracy, slices", 0.6744),
        ("p3-table2", "validation, best epoch", "loss, slices", 0.6687),
        ("p3-table3", "overall", "loss, all slices", 0.8126),
        ("p5", "validation accuracy, slices", "ResNet18", 0.8703),
        ("p5", "test AUC, patients", "ResNet18", None),
    ],
)
def test_the_printed_numbers_stand_where_they_were_printed(name: str, row: str, column: str, printed: Any) -> None:
    cells = {(cell.row, cell.column): cell.published for cell in find_table(name).cells}
    assert cells[row, column] == printed


@pytest.mark.parametrize(("task", "bundle"), [("grade", GRADE), ("survival", SURVIVAL)])
def test_the_best_head_is_the_bundles_own(task: str, bundle: str, options: MakeOptions) -> None:
    """That of the paper's recipe: without pre-training another start may serve better."""
    folder = options().bundles / bundle / "configs"
    config: dict[str, Any] = {}
    for name in ("train", "paper"):
        config |= yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    assert {knob: config[knob] for knob in BEST_HEAD[task]} == BEST_HEAD[task]


def test_a_candidate_head_differs_from_the_first_in_one_factor() -> None:
    models = find_table("p1-table3", "grade").models
    differing = [[knob for knob in FIRST_HEAD if model.settings[knob] != FIRST_HEAD[knob]] for model in models]
    assert sorted(map(len, differing)) == [0, *[1] * 13]
    assert {model.side for model in models} == {"validation"}


def test_options_are_compared_on_the_validation_side_where_patients_are_split(options: MakeOptions) -> None:
    runs = plan_table(find_table("p1-table3", "grade"), options())
    assert {(run.column, run.steps[-1].settings["side"]) for run in runs} == {
        (PUBLISHED, "test"),
        (BY_PATIENT, "validation"),
        (OURS, "validation"),
    }


def test_a_side_that_was_used_in_training_is_judged_by_the_explicit_word(options: MakeOptions) -> None:
    for name in ("p1-table3", "p2-table1", "p5"):
        judging = [
            step.settings for step in all_steps(plan_table(find_table(name), options())) if "side" in step.settings
        ]
        assert {settings.get("allow_trained_on", False) == (settings["side"] != "test") for settings in judging} == {
            True
        }
        assert {settings["side"] for settings in judging} >= {"test", "validation"}


def test_each_fold_validates_in_turn_and_all_are_held_to_one_test_side(options: MakeOptions) -> None:
    runs = plan_table(find_table("p2-table1"), options(columns=(OURS,)))
    folds = {run.name: (run.steps[0].settings["net"], run.steps[0].settings["fold"]) for run in runs}
    assert folds["net_b/ours-2"] == ("B", 2)
    assert len(set(folds.values())) == 6
    config = yaml.safe_load((options().bundles / TUMOUR / "configs" / "train.yaml").read_text(encoding="utf-8"))
    assert (config["split_method"], config["folds"]) == ("hold_out_k_fold", 3)
    assert {"split_method", "folds"}.isdisjoint(runs[0].steps[0].settings)


def test_only_net_b_needs_weights_of_its_backbone(options: MakeOptions, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match="no pre-trained weights of resnetv2_50"):
        plan_table(find_table("p2-table1"), options(pretrained_dir=tmp_path))
    (tmp_path / "resnetv2_50.pth").touch()
    runs = plan_table(find_table("p2-table1"), options(pretrained_dir=tmp_path))
    given = {run.model.name: run.steps[0].settings.get("pretrained") for run in runs}
    assert given == {"net_a": None, "net_b": tmp_path / "resnetv2_50.pth"}


def test_a_monte_carlo_run_draws_its_own_split(options: MakeOptions) -> None:
    runs = plan_table(find_table("p1-table4", "grade"), options())
    ours = find_run("grade/70/ours-3", runs).steps[0].settings
    drawn = {"split_method": "monte_carlo", "train_share": 0.7, "fold": 3, "folds": 10}
    assert {knob: ours[knob] for knob in drawn} == drawn
    theirs = find_run("grade/70/paper-9", runs).steps[0].settings
    assert theirs["paper_split#shares"] == [0.63, 0.07, 0.3]
    assert (theirs["fold"], theirs["folds"]) == (9, 10)
    assert sum(theirs["paper_split#shares"]) == pytest.approx(1)
    between = find_run("grade/70/paper_by_patient-3", runs).steps[0]
    assert between.configs == ("train", "paper")
    assert {knob: between.settings[knob] for knob in drawn} == drawn
    assert "split_method" not in theirs


@pytest.mark.parametrize("bundle", [GRADE, SURVIVAL])
def test_the_published_split_can_be_drawn_as_often_as_the_table_asks(bundle: str, options: MakeOptions) -> None:
    folder = options().bundles / bundle / "configs"
    split = merged_config([str(folder / "train.yaml"), str(folder / "paper.yaml")])["split"]
    assert split["folds"] == "@folds"  # or a fold above 4 is refused


def test_three_random_splits_stand_beside_three_folds(options: MakeOptions) -> None:
    runs = plan_table(find_table("p4-table1"), options())
    theirs = find_run("volume_grade/mc3_18/paper-2", runs).steps[0].settings
    ours = find_run("volume_grade/mc3_18/ours-2", runs).steps[0].settings
    assert (theirs["fold"], theirs["folds"], ours["fold"]) == (2, 3, 2)
    assert "folds" not in ours  # the bundle's own
    folder = options().bundles / VOLUME / "configs"
    config = merged_config([str(folder / "train.yaml"), str(folder / "paper.yaml")])
    assert config["paper_split"] == {"unit": "subject", "method": "monte_carlo", "train_share": 0.7}  # people are drawn
    with pytest.raises(KnobError, match="5 folds cannot be tested 6 times"):
        plan_table(find_table("p4-table1"), options(repeats=6))
    drawn = plan_table(find_table("p4-table1"), options(repeats=6, columns=(PUBLISHED,)))
    assert {run.steps[0].settings["folds"] for run in drawn} == {6}


def test_the_training_of_volumes_measures_what_a_step_costs(options: MakeOptions) -> None:
    config = merged_config([str(options().bundles / VOLUME / "configs" / "train.yaml")])
    handlers = [handler["_target_"] for handler in config["train"]["handlers"]]
    assert "common.handlers.TrainingCost" in handlers


def test_only_pre_trained_networks_of_volumes_need_weights(options: MakeOptions, tmp_path: Path) -> None:
    with pytest.raises(KnobError) as caught:
        plan_table(find_table("p4-table1"), options(pretrained_dir=tmp_path))
    wanted = {problem.what.rpartition(" ")[2] for problem in caught.value.problems}
    assert wanted == {"r3d_18", "r2plus1d_18", "mc3_18"}
    for name in wanted:
        (tmp_path / f"{name}.pth").touch()
    runs = plan_table(find_table("p4-table1"), options(pretrained_dir=tmp_path))
    for run in runs:
        train, judged = run.steps
        pretrained = train.settings["pretrained"]
        assert pretrained == (tmp_path / f"{train.settings['backbone']}.pth" if "_pre" in run.name else False)
        assert "pretrained" not in judged.settings


def test_healthy_people_go_to_training_and_evaluation(options: MakeOptions, tmp_path: Path) -> None:
    runs = plan_table(find_table("p4-table1"), options(healthy_dir=tmp_path))
    assert {step.settings["healthy_dir"] for step in all_steps(runs)} == {tmp_path}
    assert not any("healthy_dir" in step.settings for step in all_steps(plan_table(find_table("p5"), options())))


def test_both_networks_of_the_combined_system_keep_to_one_split(options: MakeOptions) -> None:
    runs = plan_table(find_table("p3-table3"), options())
    survival, *stages, judged = find_run("survival/predicted_masks/paper_by_patient", runs).steps
    for stage in stages:
        assert stage.settings["split_file"] == Path(survival.settings["output_dir"]) / "split.json"
        assert "fold" not in stage.settings
    assert [stage.configs for stage in stages] == [
        ("train", "paper"),
        ("train", "stage2", "paper"),
        ("train", "stage3", "paper"),
    ]
    assert judged.settings["segmentation"] == stages[-1].settings["weights"]
    assert "split_file" not in find_run("survival/predicted_masks/paper", runs).steps[1].settings


@pytest.mark.parametrize("table", ["p3-table2", "p3-table3"])
def test_slices_without_tumour_are_judged_in_every_column(options: MakeOptions, table: str) -> None:
    for run in plan_table(find_table(table), options()):
        assert run.steps[-1].settings["empty_slices"] is True
        assert "empty_slices" not in run.steps[0].settings  # each recipe learns from its own


def test_masks_may_be_made_by_weights_that_are_there(options: MakeOptions, tmp_path: Path) -> None:
    weights = tmp_path / "model.pt"
    weights.touch()
    for run in plan_table(find_table("p3-table3"), options(segmentation=weights)):
        assert [step.run_id for step in run.steps] == ["training", "evaluating"]
        assert run.steps[-1].settings["segmentation"] == weights


def test_each_stage_of_the_segmentation_goes_on_from_the_one_before(options: MakeOptions) -> None:
    for run in plan_table(find_table("p3-table1"), options(settings={"trainable": "all", "pretrained": "false"})):
        *stages, judged = run.steps
        for before, after in pairwise(stages):
            assert after.settings["init_weights"] == before.settings["weights"]
            assert "trainable" not in after.settings  # it would undo the stage
            assert "pretrained" not in after.settings
        assert stages[0].settings["pretrained"] == "false"
        assert judged.settings["weights"] == stages[-1].settings["weights"]
        assert judged.configs[1] == "stage3"


def test_settings_go_to_every_command_that_knows_them(options: MakeOptions) -> None:
    table = find_table("p3-table3")
    given = options(settings={"epochs": "1", "crop_size": "[64,64]", "image_size": "[64,64]", "pretrained": "false"})
    survival, segmentation, *_, judged = plan_table(table, given)[0].steps
    assert survival.settings["image_size"] == judged.settings["image_size"] == "[64,64]"
    assert (segmentation.settings["crop_size"], segmentation.settings["epochs"]) == ("[64,64]", "1")
    assert "image_size" not in segmentation.settings
    assert "crop_size" not in survival.settings
    assert "pretrained" not in judged.settings  # the checkpoint brings all weights


def test_weights_come_from_a_file_a_backbone(options: MakeOptions, tmp_path: Path) -> None:
    table = find_table("p1-table2", "grade")
    names = [model.settings["backbone"] for model in table.models]
    for number, name in enumerate(names):
        (tmp_path / f"{name}.{('pth', 'safetensors')[number % 2]}").touch()
    runs = plan_table(table, options(pretrained_dir=tmp_path))
    for run in runs:
        train, judged = run.steps
        assert Path(train.settings["pretrained"]).stem == run.model.settings["backbone"]
        assert "pretrained" not in judged.settings
    (tmp_path / f"{names[0]}.pth").unlink()
    (tmp_path / f"{names[1]}.safetensors").unlink()
    with pytest.raises(KnobError) as caught:
        plan_table(table, options(pretrained_dir=tmp_path))
    assert [problem.what.rpartition(" ")[2] for problem in caught.value.problems] == names[:2]


@pytest.mark.parametrize(
    ("table", "given", "told"),
    [
        ("p1-table2", {"settings": {"epochz": "1"}}, "Did you mean --set epochs?"),
        ("p1-table2", {"settings": {"backbone": "resnet18"}}, "P1, table 2 is about it"),
        ("p1-table5", {"settings": {"output_dir": "x"}}, "Use --output instead."),
        ("p1-table5", {"settings": {"train#trainre": "x", "split_by": "paper"}}, "Use --columns instead."),
        ("p1-table5", {"repeats": 6}, "5 folds cannot be tested 6 times"),
        ("p2-table1", {"repeats": 4}, "3 folds cannot be tested 4 times"),
        ("p2-table1", {"settings": {"net": "B"}}, "P2, table 1 is about it"),
        ("p1-table5", {"repeats": 0}, "cannot be tested 0 times"),
        ("p1-table5", {"segmentation": Path("model.pt")}, "needs no segmentation"),
        ("p3-table3", {"segmentation": Path("nowhere.pt")}, "it does not exist"),
        ("p1-table2", {"pretrained_dir": Path("nowhere")}, "it does not exist"),
        ("p1-table5", {"settings": {"permute_labels": "true"}}, "Use --permute_labels instead."),
        ("p3-table1", {"columns": (PERMUTED,)}, "P3, table 1 has no labels to shuffle"),
        ("p1-table2", {"healthy_dir": Path("nowhere")}, "P1, table 2 has no healthy people"),
        ("p4-table1", {"healthy_dir": Path("nowhere")}, "it does not exist"),
        ("p4-table1", {"settings": {"healthy_dir": "x"}}, "Use --healthy_dir instead."),
        ("p4-table1", {"settings": {"backbone": "r3d_10"}}, "P4, tables 1 to 5 is about it"),
    ],
)
def test_what_would_change_nothing_is_refused(table: str, given: Any, told: str, options: MakeOptions) -> None:
    with pytest.raises(KnobError, match=told.replace("?", r"\?")):
        plan_table(find_table(table), options(**given))


def test_all_that_is_wrong_is_told_at_once(options: MakeOptions) -> None:
    with pytest.raises(KnobError) as caught:
        plan_table(find_table("p1-table2"), options(settings={"epochz": "1", "fold": "2", "backbone": "x"}, repeats=9))
    assert [str(problem.where) for problem in caught.value.problems] == [
        "--set epochz",
        "--set fold",
        "--set backbone",
        "--repeats 9",
    ]


def test_more_folds_allow_more_repeats(options: MakeOptions) -> None:
    runs = plan_table(find_table("p1-table5"), options(repeats=6, settings={"folds": "6"}))
    assert [run.name for run in runs[6:8]] == ["grade/final/paper_by_patient", "grade/final/paper_by_patient-1"]


def test_a_table_without_the_task_is_refused() -> None:
    with pytest.raises(KnobError, match="P1, table 5 is not about survival"):
        find_table("p1-table5", "survival")
    assert {model.task for model in find_table("p1-table4", "survival").models} == {"survival"}


def test_the_printed_averages_of_p4_do_not_fit_its_classes() -> None:
    """What the notes say is computed from the printed numbers: shares .1235, .4382, .4382 of 73, 259 and 259."""
    shares = (73 / 591, 259 / 591, 259 / 591)
    for printed in volume_grade.F1.values():
        by_class, macro, weighted = printed[:3], printed[3], printed[4]
        assert abs(sum(by_class) / 3 - macro) > 5e-4
        assert abs(sum(share * value for share, value in zip(shares, by_class, strict=True)) - weighted) > 4e-3
    best = volume_grade.F1["mc3_18", True]
    assert sum(best[:3]) / 3 == pytest.approx(0.9428, abs=5e-5)
    assert sum(share * value for share, value in zip(shares, best[:3], strict=True)) == pytest.approx(0.9547, abs=5e-5)
    cells = {(cell.row, cell.column): cell for cell in find_table("p4-table1").cells}
    assert cells["Pre-trained ResNet Mixed Convolution", "F1 LGG"].deviation == 0.033
    assert cells["Pre-trained ResNet Mixed Convolution", "macro F1"].deviation is None
    assert cells["Pre-trained ResNet Mixed Convolution", "accuracy"].published == 0.9698
    assert ("ResNet 3D", "specificity healthy") in cells


def test_what_p3_prints_of_figure_7_determines_the_rest() -> None:
    """Rows of truth; six counts, the accuracies of the bins and the number of test slices are printed."""
    counts = [[1287, 191, 359], [319, 947, 570], [189, 284, 1341]]
    assert sum(map(sum, counts)) == 5487
    right = [row[place] / sum(row) for place, row in enumerate(counts)]
    assert [round(100 * share, 2) for share in right] == [70.06, 51.58, 73.93]
    assert sum(row[place] for place, row in enumerate(counts)) / 5487 == pytest.approx(0.6515, abs=5e-5)
    assert pytest.approx(BACKGROUND_THAT_FITS, abs=2e-4) == 4 * 0.8986 - (0.8728 + 0.8275 + 0.8942)
