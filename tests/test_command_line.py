from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.cohorts.inference_patients import read_patients
from common.command_line import NAMES, PATHS, altered_values, altered_words, as_typed, typed_words
from common.errors import KnobError
from common.knobs import check_overrides, parse_command_line
from common.workflow import CheckedWorkflow

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "word",
    [
        "2013_10_1",
        "1e3",
        "001",
        "00",
        "0",
        "1.10",
        "0x10",
        "a#b",
        "1_0",
        "True",
        "False",
        "'2013_10_1'",
        "a-b",
        "M\u00fcller",
    ],
)
@pytest.mark.parametrize("equals", [True, False])
def test_an_id_stays_as_it_was_typed(word: str, equals: bool) -> None:
    line = [f"--subject={word}"] if equals else ["--subject", word]
    assert as_typed("subject", "what MONAI hands over", line) == word.strip("'")
    assert parse_command_line(line)[1] == {"subject": word.strip("'")}
    assert not altered_words(line)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("001,002", ["001", "002"]),
        ("1,2", ["1", "2"]),
        ("7_1", ["7_1"]),
        ("1e3, 2_0", ["1e3", "2_0"]),
        ("[1_0,b]", ["1_0", "b"]),
        ("['1_0', \"b\"]", ["1_0", "b"]),
        ("'a,b'", ["a", "b"]),
        ("a,b", ["a", "b"]),
        ('["M\\u00fcller","a, b"]', ["M\u00fcller", "a, b"]),  # as our own commands write a list
    ],
)
def test_so_do_several(word: str, names: list[str]) -> None:
    assert as_typed("exclude", None, ["run", "--exclude", word]) == names
    assert parse_command_line(["--exclude", word])[1] == {"exclude": names}


def test_what_the_command_line_does_not_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert as_typed("subject", 5, ["run"]) == 5
    assert as_typed("subject", None, ["--subject", "None"]) is None
    monkeypatch.setattr(sys, "argv", ["/elsewhere/program.py", "--subject", "7_1"])
    assert as_typed("subject", 71) == 71


def test_a_patient_is_called_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    for word, value in (("2013_10_1", 2013101), ("000", 0), ("False", False)):
        monkeypatch.setattr(sys, "argv", ["/env/monai/bundle/__main__.py", "run", "--subject", word])
        (record,) = read_patients(files={"flair": "a.nii.gz", "subject": value})
        assert record["subject"] == word


@pytest.mark.parametrize(
    ("knob", "word", "what"),
    [
        ("output_dir", "/x/out#1", "MONAI reads # as ::"),
        ("output_dir", "out#1", "MONAI reads # as ::"),
        ("dataset_dir", "/x/a#b", "MONAI reads # as ::"),
        ("bundle_root", "/x/a#b", "MONAI reads # as ::"),
        ("weights", "/x/a@::b.pt", "MONAI reads # as ::"),
        ("dataset_dir", "%seed", "begins with %, so that MONAI takes it for a part of another config"),
        ("subject", "@p", "begins with @, so that MONAI takes it for a reference to another knob"),
        ("subject", "'@p'", "begins with @"),
        ("exclude", "a,@b", "begins with @"),
        ("datalist", "$HOME/list.csv", r"begins with \$, so that MONAI takes it for an expression"),
        ("dataset_dir", "2024_01", r"the command line reads it as 202401. Write --dataset_dir \./2024_01\."),
        ("dataset_dir", "2024", r"the command line reads it as 2024. Write --dataset_dir \./2024\."),
        ("cache_dir", "1e3", r"reads it as 1000\.0"),
        ("output_dir", "a,b", r"reads it as \('a', 'b'\)"),
        ("output_dir", "(a)", "reads it as 'a'"),
        ("pretrained", "2024_01", "reads it as 202401"),
    ],
)
def test_a_path_that_would_be_altered_is_refused_by_name(knob: str, word: str, what: str) -> None:
    for line in (["run", f"--{knob}", word], ["run", f"--{knob.replace('_', '-')}={word}"], ["run", f"-{knob}", word]):
        with pytest.raises(KnobError, match=what) as caught:
            check_overrides(line)
        (problem,) = caught.value.problems
        assert problem.where == f"--{knob}"


@pytest.mark.parametrize(
    "word",
    ["/x/2024_01", "./2024_01", "'2024_01'", "a b", "x.pt", "/x/a,b", "../a-b", "None", "M\u00fcller", "./@p", "./%x"],
)
def test_other_paths_pass(word: str) -> None:
    for knob in PATHS:
        assert not altered_words(["run", f"--{knob}", word]), knob


@pytest.mark.parametrize("word", ["true", "True", "1", "0", "False"])
def test_pretrained_may_be_a_boolean(word: str) -> None:
    assert not altered_words(["--pretrained", word])
    assert not altered_words(["--pretrained", "--dataset_dir", "x"])


def test_a_path_or_a_name_without_a_value() -> None:
    for knob in ("dataset_dir", "subject", "exclude"):
        with pytest.raises(KnobError, match=f"--{knob}: no value is given"):
            check_overrides(["run", f"--{knob}", "--epochs", "3"])


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(KnobError) as caught:
        check_overrides(["run", "--dataset_dir", "2024_01", "--output_dir", "/x/o#1", "--subject", "7_1"])
    assert [problem.where for problem in caught.value.problems] == ["--dataset_dir", "--output_dir"]


def test_a_file_of_arguments_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text("output_dir: /x/out#1\nsubject: 2013_10_1\ndataset_dir: /x/data\n")
    with pytest.raises(KnobError) as caught:
        check_overrides(["run", "--args_file", str(tmp_path / "args.yaml")])
    assert [problem.where for problem in caught.value.problems] == ["--output_dir", "--subject"]


def test_from_python_a_path_is_refused_and_an_expression_is_not(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("dataset_dir: null\n")
    with pytest.raises(KnobError, match="MONAI reads # as ::"):
        CheckedWorkflow(str(tmp_path / "train.yaml"), dataset_dir="/x/a#b")
    assert not altered_values(
        {"output_dir": "$@bundle_root + '/x'", "subject": 5, "weights": "@checkpoint"}, typed=False
    )


def test_single_dashes_and_negative_numbers() -> None:
    assert typed_words(["-subject", "p1", "--lr", "-5", "--resume", "-x=1"]) == {
        "subject": "p1",
        "lr": "-5",
        "resume": True,
        "x": "1",
    }


def test_every_knob_that_is_a_path_or_a_name_is_known() -> None:
    known = {*PATHS, *NAMES}
    signs = ("_dir", "_file", "datalist", "weights", "checkpoint", "subject", "exclude")
    folders: dict[str, Any] = {}
    for path in ROOT.glob("bundles/*/configs/*.yaml"):
        text = path.read_text(encoding="utf-8").partition("# --- end of knobs ---")[0]
        folders |= yaml.safe_load(text)
    wanted = {
        knob
        for knob, value in folders.items()
        if knob.endswith(signs) or (isinstance(value, str) and value.startswith("$") and "bundle_root" in value)
    }
    assert {"output_dir", "dataset_dir", "segmentation", "checkpoint"} <= wanted
    assert not wanted - known
