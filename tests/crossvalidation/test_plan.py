"""The commands of a cross-validation, and what is refused before one of them starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from common.commands import ROOT
from common.crossvalidation.options import DATA, Options, check_options
from common.crossvalidation.plan import plan_folds
from common.errors import KnobError
from common.knobs import check_overrides

MakeOptions = Callable[..., Options]
CONFIGS = sorted(path.relative_to(ROOT / "bundles") for path in ROOT.glob("bundles/*/configs/train*.yaml"))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parts[0]}-{path.stem}")
@pytest.mark.parametrize("recipe", ["ours", "paper"])
@pytest.mark.parametrize("scheme", ["kfold", "montecarlo"])
def test_every_command_is_one_that_its_bundle_knows(
    config: Path, recipe: str, scheme: str, options: MakeOptions
) -> None:
    bundle = ROOT / "bundles" / config.parts[0]
    given = options(bundle=bundle, config=config.stem, recipe=recipe, scheme=scheme, settings={"epochs": "1"})
    check_options(given)
    runs = plan_folds(given)
    method = {"kfold": "k_fold", "montecarlo": "monte_carlo"}[scheme]
    assert [run.name for run in runs] == ["fold-0", "fold-1", "fold-2"]
    for run in runs:
        train, judge = run.steps
        assert judge.settings["weights"] == train.settings["weights"] == run.folder / "model.pt"
        assert (judge.settings["side"], "side" in train.settings) == ("test", False)
        for step in run.steps:
            check_overrides(step.command()[2:])
            assert [step.settings[knob] for knob in ("fold", "folds", "split_method")] == [run.fold, 3, method]
            assert step.settings["split_by"] == "patient"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"folds": 2}, "--folds: 2 are no cross-validation: one fold is tested, the next one validates"),
        ({"folds": 1, "scheme": "montecarlo"}, "--folds: 1 are no cross-validation"),
        ({"data": {}}, "no data set is given"),
        ({"split_by": "paper"}, "has no folds. Use --scheme montecarlo"),
        ({"settings": {"epochz": "1"}}, "Did you mean --set epochs?"),
        ({"settings": {"side": "train"}}, "--set side: this command sets it itself"),
        ({"settings": {"split_method": "external"}}, "Use --scheme instead"),
        ({"settings": {"split_file": "mine.json"}}, "--set split_file: this command sets it itself"),
        ({"config": "train_masks"}, "train_masks.yaml: this bundle has no such config"),
    ],
)
def test_what_cannot_be_cross_validated_is_refused(wrong: dict, told: str, options: MakeOptions) -> None:
    with pytest.raises(KnobError, match=told.replace("?", "\\?")):
        check_options(options(**wrong))


def test_healthy_people_are_of_one_bundle(options: MakeOptions, tmp_path: Path) -> None:
    data = dict.fromkeys(DATA[::2], tmp_path)
    with pytest.raises(KnobError, match=r"--healthy_dir .*: this bundle reads none"):
        check_options(options(data=data))
    check_options(options(data=data, bundle=ROOT / "bundles" / "glioma_spatiospatial_classification"))


def test_the_paper_s_split_of_images_has_folds(options: MakeOptions) -> None:
    check_options(options(bundle=ROOT / "bundles" / "brain_tumor_classification", split_by="paper", recipe="paper"))
    check_options(options(split_by="paper", scheme="montecarlo"))
