"""Help and every wrong argument are answered before torch or MONAI is imported, in one message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.commands import ROOT

PROGRAM = """
import atexit, runpy, sys
heavy = ("torch", "monai", "sklearn", "matplotlib")
atexit.register(lambda: print("LOADED", *(name for name in heavy if name in sys.modules)))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))

WRONG = [
    ("check_dataset", [], "name a folder"),
    ("check_dataset", ["absent"], "there is no such folder"),
    ("check_dataset", ["file.txt"], "is a file, not a folder"),
    ("check_dataset", ["empty"], "empty: "),
    ("check_dataset", ["--datalist", "absent.json"], "there is no such file"),
    ("check_dataset", ["--datalist", "file.txt"], "file.txt: "),
    ("check_dataset", ["empty", "--healthy", "absent"], "there is no such folder"),
    ("check_dataset", ["empty", "--cavity", "ignore"], "invalid choice"),
    ("check_split", ["absent"], "there is no such file or folder"),
    ("check_split", ["empty"], "has no folders of two sides"),
    ("check_split", ["file.txt"], "file.txt: "),
    ("check_split", ["empty", "--images", "absent"], "absent: there is no such file or folder"),
    ("check_split", ["empty", "--subject_pattern", "(genius"], "is no regular expression"),
    ("check_split", ["empty", "--output", "file.txt"], "is a file, not a folder"),
    ("compare_runs", ["empty", "absent"], "2 problems"),
    ("compare_runs", ["damaged"], "is damaged"),
    ("compare_runs", ["grade", "segmentation"], "several tasks"),
    ("crossval", ["no_bundle"], "invalid choice"),
    ("crossval", ["glioma_segmentation"], "no data set is given"),
    ("crossval", ["glioma_segmentation", "--dataset_dir", "absent"], "there is no such folder"),
    ("crossval", ["glioma_segmentation", "--datalist", "absent.csv"], "there is no such file"),
    ("crossval", ["glioma_segmentation", "--dataset_dir", "empty", "--set", "epochs"], "it is no name=value"),
    ("crossval", ["glioma_segmentation", "--dataset_dir", "empty", "--folds", "2"], "Give 3 or more"),
    (
        "crossval",
        ["glioma_segmentation", "--dataset_dir", "empty", "--search", "lr"],
        "--search lr: it is no name=value",
    ),
    ("demo", ["--only", "no_bundle"], "invalid choice"),
    ("demo", ["--output", "file.txt"], "is a file, not a folder"),
    ("make_phantoms", ["brats1999", "new"], "invalid choice"),
    ("make_phantoms", ["brats2020", "full"], "is not empty"),
    ("make_phantoms", ["brats2020", "new", "--patients", "few"], "invalid int value"),
    ("make_phantoms", ["brats2020", "new", "--patients", "0"], "patients"),
    ("make_phantoms", ["br35h", "new", "--copies", "-1"], "copies"),
    ("make_phantoms", ["brats2020", "new", "--copies", "3"], "--copies is of br35h"),
    ("make_phantoms", ["ixi", "new", "--blind-grade"], "--blind-grade is of brats2020"),
    ("make_phantoms", ["brats2020", "file.txt/new"], "file.txt: is a file, not a folder"),
    ("make_phantoms", ["ixi", "new", "--patients", "-2"], "-2"),
    ("make_phantoms", ["rsna_miccai", "new", "--patients", "0"], "0"),
    ("package", ["no_bundle"], "it is no bundle"),
    ("package", ["glioma_segmentation", "--output", "file.txt"], "is a file, not a folder"),
    ("package", ["glioma_segmentation", "--output", "taken"], "in the way"),
    ("reproduce", ["p9", "--dataset_dir", "empty"], "invalid choice"),
    ("reproduce", ["p1-table2", "--dataset_dir", "absent"], "there is no such folder"),
    ("reproduce", ["p1-table2", "--dataset_dir", "empty"], "no BraTS patient is in it"),
    ("reproduce", ["p1-table2", "--dataset_dir", "empty", "--rows", "absent"], "--rows absent"),
    (
        "reproduce",
        ["p4-table1", "--dataset_dir", "empty", "--healthy_dir", "absent"],
        "absent: there is no such folder",
    ),
    ("reproduce", ["p5", "--dataset_dir", "empty", "--set", "epochs"], "epochs"),
    ("try_consumers", ["no_bundle"], "there is no bundle no_bundle"),
    ("try_consumers", ["--weights", "absent.pt"], "--weights are of one bundle"),
    ("try_consumers", ["--zoo", "absent"], "--zoo: absent does not exist"),
    ("try_consumers", ["glioma_segmentation", "--weights", "absent.pt"], "--weights: absent.pt does not exist"),
    ("try_consumers", ["--output", "file.txt"], "is a file, not a folder"),
    ("verify_packages", ["absent", "empty"], "it is no package"),
    ("verify_packages", ["empty", "--schema", "absent.json"], "empty: it is no package"),
    ("write_documents", ["absent"], "it is no bundle"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("arguments")
    (root / "file.txt").write_text("neither a list nor a folder")
    for name in ("empty", "full", "damaged", "grade", "segmentation", "taken/glioma_segmentation"):
        (root / name).mkdir(parents=True)
    (root / "full" / "something").touch()
    (root / "damaged" / "metrics.json").write_text("{")
    (root / "grade" / "metrics.json").write_text(json.dumps({"target": "grade"}))
    (root / "segmentation" / "metrics.json").write_text(json.dumps({"regions": {}}))
    return root


def run(script: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "scripts" / f"{script}.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("script", "arguments", "message"), WRONG)
def test_a_wrong_argument(script: str, arguments: list[str], message: str, folder: Path) -> None:
    done = run(script, arguments, folder)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 2)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help(script: str, folder: Path) -> None:
    done = run(script, ["--help"], folder)
    assert done.returncode == 0
    assert done.stdout.startswith("usage:")
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


def test_every_script_is_tried() -> None:
    assert {script for script, _, _ in WRONG} == set(SCRIPTS)
