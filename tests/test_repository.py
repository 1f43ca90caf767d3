"""What holds for the repository as a whole: nothing private in it, and its documents are true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import common
from common.reports.knob_tables import END_OF_KNOBS, update_document
from common.reports.registry_tables import TABLES, update_metadata, update_tables

ROOT = Path(__file__).resolve().parents[1]
BUNDLES = sorted(path.parent.parent for path in ROOT.glob("bundles/*/configs/train.yaml"))
SCRIPTS = sorted(ROOT.glob("scripts/*.py"))

LARGEST_FILE = 500_000  # bytes
WEIGHTS = {".pt", ".pth", ".ts", ".onnx", ".pkl", ".npy", ".npz", ".ckpt", ".safetensors"}
IMAGES_OF_PATIENTS = (".nii", ".nii.gz", ".dcm", ".h5")

# A folder of somebody's machine, and what tells pip where to look.
PRIVATE = re.compile(r"(?<![\w.>)}])/(?:work|root|opt|home/\w+|Users/\w+)/|(?:index-url|find-links)\b")

# Runs a script's --help and fails when that took the slow imports.
HELP = """
import runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    heavy = sorted({"torch", "monai", "scipy", "sklearn", "matplotlib"} & set(sys.modules))
    sys.exit(f"--help imports {heavy}" if heavy else end.code)
sys.exit("--help does not end the script")
"""


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every file that is, or is about to be, in version control."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git clone")
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_nothing_of_a_machine_is_in_the_repository(files: list[Path]) -> None:
    found = []
    for path in files:
        content = path.read_bytes()
        if b"\0" in content or path == Path(__file__).resolve():
            continue
        lines = content.decode("utf-8").splitlines()
        found += [f"{path}:{number}: {line}" for number, line in enumerate(lines, 1) if PRIVATE.search(line)]
    assert found == []


def test_private_paths_are_recognised() -> None:
    for text in ("cd /root/x", "'/home/ann/data'", "--extra-index-url=x", "(/work/y)", "open('/Users/ann/z')"):
        assert PRIVATE.search(text), text
    for text in ("bundle_root/models", "https://example.org/work/x", "../shared/work/", "<bundle>/root/"):
        assert not PRIVATE.search(text), text


def test_no_weights_no_images_of_patients_no_large_files(files: list[Path]) -> None:
    unwanted = [path for path in files if path.suffix in WEIGHTS or path.name.endswith(IMAGES_OF_PATIENTS)]
    assert unwanted == []
    assert [path for path in files if path.stat().st_size > LARGEST_FILE] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_prints_its_use_from_anywhere_without_slow_imports(script: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HELP, str(script)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_knob_tables_are_true_and_complete(bundle: Path) -> None:
    document = bundle / "docs" / "README.md"
    assert not update_document(document, bundle, check=True), "stale: run make docs"
    shown = set(re.findall(r"<!-- knobs:(\S+) -->", document.read_text(encoding="utf-8")))
    with_knobs = {p.name for p in bundle.glob("configs/*.yaml") if END_OF_KNOBS.search(p.read_text(encoding="utf-8"))}
    assert with_knobs <= shown


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_metadata_has_the_prose_of_its_task(bundle: Path) -> None:
    assert not update_metadata(bundle / "configs" / "metadata.json", check=True), "stale: run make docs"


def test_the_tables_of_documents_are_those_of_the_registries() -> None:
    documents = [ROOT / "README.md", ROOT / "docs" / "data_sets.md"]
    assert not [path for path in documents if update_tables(path, check=True)], "stale: run make docs"
    text = "".join(path.read_text(encoding="utf-8") for path in documents)
    assert sorted(re.findall(r"<!-- table:(\S+) -->", text)) == sorted(TABLES)


def test_the_changelog_ends_at_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    wrong = [
        text for text in headings if not re.fullmatch(r"\[?(Unreleased|\d+\.\d+\.\d+)\]?( . \d{4}-\d\d-\d\d)?", text)
    ]
    assert wrong == []
    assert "Unreleased" in headings[0] or common.__version__ in headings[0]


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == common.__version__
    assert citation["license"] == "Apache-2.0"


def test_requirements_end_with_this_package_and_are_locked() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "-e ."
    names = {_canonical(line) for line in lines if line[:1].isalpha()}
    locked = {_canonical(line) for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    assert names - locked == set()


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make", "-C", str(ROOT)], check=True, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == set(phony[1].split())


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_an_installation_that_failed_is_not_taken_for_one(tmp_path: Path) -> None:
    """Also with the make of macOS, which is older than 3.82 and knows no ``.SHELLFLAGS``."""
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text("#!/bin/sh\necho no such package\nexit 1\n")
    pip.chmod(0o755)
    words = ("make", f"VENV={tmp_path}", ".SHELLFLAGS=-c", "demo")
    made = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode
    assert "no such package\nThe installation failed" in made.stdout
    assert not list(tmp_path.glob(".made-for-*"))


def _canonical(requirement: str) -> str:
    """The package's name as registries compare it."""
    name = re.match(r"[A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", name[0] if name else "").lower()
