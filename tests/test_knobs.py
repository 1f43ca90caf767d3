from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import KnobError
from common.knobs import (
    as_bool,
    bool_or_path,
    check_overrides,
    merged_config,
    parse_command_line,
    refuse_senseless,
    refuse_unknown,
)
from common.knobs.checks import absent_device

CONFIG = {"dataset_dir": None, "epochs": 60, "recipe": "ours", "train": {"trainer": {"max_epochs": "@epochs"}}}


@pytest.fixture
def config(tmp_path: Path) -> str:
    return write(tmp_path / "train.yaml", CONFIG)


def write(path: Path, content: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (None, False),
        ("true", True),
        ("True", True),
        (" yes ", True),
        ("on", True),
        ("1", True),
        ("false", False),
        ("No", False),
        ("off", False),
        ("0", False),
        ("", False),
        ("null", False),
    ],
)
def test_a_boolean_knob_understands_words(value: Any, meaning: bool) -> None:
    assert as_bool(value) is meaning


def test_a_boolean_knob_refuses_what_is_neither() -> None:
    with pytest.raises(KnobError, match=r"--resume: 'maybe' is neither true nor false"):
        as_bool("maybe", "resume")


def test_a_knob_may_be_a_boolean_or_a_file() -> None:
    assert bool_or_path("false") is False
    assert bool_or_path(True) is True
    assert bool_or_path("weights/resnet18.pth") == "weights/resnet18.pth"


def test_a_command_line_is_read_as_monai_reads_it() -> None:
    line = ["run", "training", "--config_file", "['a.yaml','b.yaml']", "--epochs", "3", "--lr=1e-3", "--resume"]
    files, overrides = parse_command_line([*line, "--dataset-dir", "/data/x", "--crop_size", "[64,64]"])
    assert files == ["a.yaml", "b.yaml"]
    assert overrides == {"epochs": 3, "lr": 0.001, "resume": True, "dataset_dir": "/data/x", "crop_size": [64, 64]}


@pytest.mark.parametrize("files", ["a.yaml,b.yaml", "['a.yaml', 'b.yaml']", "('a.yaml','b.yaml')"])
def test_config_files_may_be_listed_in_monais_ways(files: str) -> None:
    assert parse_command_line(["--config_file", files])[0] == ["a.yaml", "b.yaml"]


def test_monais_own_options_are_no_overrides() -> None:
    options = ["--meta_file", "m.json", "--logging_file", "l.conf", "--run_id", "run", "--tracking", "mlflow"]
    assert parse_command_line([*options, "--bundle_root", "x", "--seed", "1"]) == ([], {"seed": 1})


def test_a_file_of_arguments_stands_behind_the_command_line(tmp_path: Path) -> None:
    args_file = write(tmp_path / "args.yaml", {"config_file": "a.yaml", "epochs": 5, "seed": 7})
    files, overrides = parse_command_line(["run", "--args_file", args_file, "--epochs", "3"])
    assert files == ["a.yaml"]
    assert overrides == {"epochs": 3, "seed": 7}


def test_the_command_line_of_another_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    line = ["--config_file", "a.yaml", "--epochs", "3"]
    monkeypatch.setattr(sys, "argv", ["/elsewhere/bundle/notebook.py", *line])
    assert parse_command_line() == ([], {})
    monkeypatch.setattr(sys, "argv", ["/env/monai/bundle/__main__.py", *line])
    assert parse_command_line() == (["a.yaml"], {"epochs": 3})


def test_configs_are_merged_in_their_order_and_overrides_last(config: str, tmp_path: Path) -> None:
    overlay = write(tmp_path / "overlay.yaml", {"epochs": 17, "train#trainer#amp": True})
    merged = merged_config([config, overlay], {"train#trainer#amp": False, "recipe": "paper"})
    trainer = {"max_epochs": "@epochs", "amp": False}
    assert merged == {"dataset_dir": None, "epochs": 17, "recipe": "paper", "train": {"trainer": trainer}}


def test_known_overrides_pass(config: str) -> None:
    check_overrides(["run", "--config_file", config, "--epochs", "3", "--train#trainer#max_epochs", "2"])
    check_overrides(["run", "--config_file", config, "--train::trainer::max_epochs", "2", "--bundle_root", "."])
    check_overrides([])


@pytest.mark.parametrize("word", ["None", "none", "null"])
def test_a_word_that_would_not_unset_a_knob_is_told(config: str, word: str) -> None:
    with pytest.raises(KnobError, match=r"Write --epochs '\$None'"):
        check_overrides(["run", "--config_file", config, "--epochs", word])
    check_overrides(["run", "--config_file", config, "--epochs", "$None", "--dataset_dir", "$None"])
    check_overrides(["run", "--config_file", config, "--dataset_dir", word])


def test_unknown_overrides_are_told_at_once_with_what_is_near(config: str) -> None:
    line = ["run", "--config_file", config, "--epochz", "3", "--datasetdir=x", "--zzzz", "1", "--trian#trainer", "1"]
    with pytest.raises(KnobError) as caught:
        check_overrides(line)
    problems = {str(problem.where): problem.hint for problem in caught.value.problems}
    assert problems["--epochz"] == "Did you mean --epochs?"
    assert problems["--datasetdir"] == "Did you mean --dataset_dir?"
    assert problems["--trian#trainer"] == "Did you mean --train?"
    assert "docs/README.md" in problems["--zzzz"]


def test_a_dotted_override_is_told(config: str) -> None:
    with pytest.raises(KnobError, match=r"--train\.trainer\.max_epochs"):
        check_overrides(["run", "--config_file", config, "--train.trainer.max_epochs", "3"])


def test_a_part_of_the_config_is_known_by_all_its_names(tmp_path: Path) -> None:
    loss = {"_target_": "DiceCELoss", "softmax": True}
    augment = {"_target_": "Compose", "transforms": [{"_target_": "RandFlipd", "keys": "image"}]}
    config = {"loss": loss, "train": {"augment": augment}, "any": {"_target_": "common.handlers.GradCamPictures"}}
    refuse_unknown(["loss#softmax", "loss#lambda_ce", "loss::_disabled_", "any#volumes"], config)
    refuse_unknown(["train#augment#transforms#0#prob", "train::augment::transforms::0::keys"], config)
    wrong = ["loss#softmaks", "train#agument#transforms", "train#augment#transforms#1", "loss#softmax#deep"]
    with pytest.raises(KnobError) as caught:
        refuse_unknown(wrong, config)
    hints = [problem.hint for problem in caught.value.problems]
    assert [str(problem.where) for problem in caught.value.problems] == [f"--{name}" for name in wrong]
    assert hints[0].startswith("Did you mean --loss#softmax")
    assert hints[1] == "Did you mean --train#augment?"
    assert "docs/README.md" in hints[2]


@pytest.mark.parametrize("knob", ["dataset_dir", "healthy_dir", "datalist", "split_file"])
def test_what_is_read_and_is_not_there_is_told_at_once(config: str, tmp_path: Path, knob: str) -> None:
    known = write(Path(config), {**CONFIG, "healthy_dir": None, "datalist": None, "split_file": None})
    start = ["run", "training", "--config_file", known, f"--{knob}"]
    with pytest.raises(KnobError, match=rf"--{knob} .*absent: there is no such"):
        check_overrides([*start, str(tmp_path / "absent")])
    check_overrides([*start, str(tmp_path)])
    check_overrides([*start, "None"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("epochs: [1, 2\n", "line 2, column 1"),
        ("epochs: 1\nepochs: 2\n", "[Dd]uplicate"),
        ("- epochs\n", "does not set values by names"),
        ("", "does not set values by names"),
        ("1: 2\n", "does not set values by names"),
        ("epochs: !!python/name:os.system\n", "could not determine a constructor"),
        ("epochs: " + "[" * 5000, "nested too deep"),
        ("epochs: \0", "not allowed"),
    ],
)
def test_an_overlay_that_is_no_config_is_named(config: str, tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "overlay.yaml").write_text(text)
    with pytest.raises(KnobError, match=what) as error:
        merged_config([config, str(tmp_path / "overlay.yaml")])
    (problem,) = error.value.problems
    assert problem.where == str(tmp_path / "overlay.yaml")


def test_a_config_that_is_not_there_is_named(config: str) -> None:
    with pytest.raises(KnobError, match=r"nowhere\.yaml: the config cannot be read"):
        merged_config([config, "nowhere.yaml"])


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "99", "mps:99"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(device: str) -> None:
    (told,) = absent_device(device)
    assert str(told).startswith(f"--device: there is no device '{device}' on this machine. Choose from cpu")


@pytest.mark.parametrize("device", ["cpu", "$torch.device('cuda')", "@other", None, "None"])
def test_a_device_that_is_there_or_cannot_be_known_passes(device: str | None) -> None:
    assert absent_device(device) == []


def test_the_command_line_tells_an_absent_device(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("device: cpu  # where to compute\n")
    line = ["run", "--config_file", str(tmp_path / "train.yaml"), "--device", "gpu"]
    with pytest.raises(KnobError, match="there is no device 'gpu'"):
        check_overrides(line)


@pytest.mark.parametrize(
    ("knob", "value", "expected"),
    [
        ("epochs", 0, "a whole number, 1 or more"),
        ("epochs", 1.5, "a whole number, 1 or more"),
        ("batch_size", "four", "a whole number, 1 or more"),
        ("num_workers", -1, "a whole number, 0 or more"),
        ("seed", True, "a whole number, 0 or more"),
        ("seed", 2**32, "a whole number, 0 or more"),
        ("lr", 0, "a number above 0"),
        ("lr", "fast", "a number above 0"),
        ("image_size", 64, "2 whole numbers above 0"),
        ("image_size", [0, 64], "2 whole numbers above 0"),
        ("volume_size", (32, 32), "3 whole numbers above 0"),
        ("modalities", "flair", "a list of different modalities"),
        ("modalities", [], "a list of different modalities"),
        ("modalities", ["t1", "t1"], "a list of different modalities"),
    ],
)
def test_a_value_that_no_run_can_work_with_is_told_before_it_starts(knob: str, value: object, expected: str) -> None:
    with pytest.raises(KnobError, match=rf"--{knob}: .* is no choice\. Give {expected}"):
        refuse_senseless({"epochs": 3, knob: value})


def test_values_that_make_sense_expressions_and_none_pass() -> None:
    sizes = {"image_size": [240, 240], "crop_size": (96, 64), "volume_size": [32, 32, 32]}
    numbers = {"epochs": 1, "num_workers": 0, "seed": 2**32 - 1, "lr": 1e-5, "samples_per_epoch": None}
    words = {"batch_size": "$2 * 8", "patience": "@other", "modalities": ["flair", "t2"], "val_interval": "None"}
    refuse_senseless({**sizes, **numbers, **words, "epochz": 0})


def test_the_command_line_tells_senseless_values(config: str) -> None:
    with pytest.raises(KnobError, match="--epochs: 0 is no choice"):
        check_overrides(["run", "--config_file", config, "--epochs", "0"])
