"""The order of imports that CONTRIBUTING.md states, held by import-linter's contracts in pyproject.toml."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

ROOT = Path(__file__).resolve().parents[1]
MOST_FILES = 15
WITH_MORE: dict[str, int] = {}
"""Folders that may hold more than :data:`MOST_FILES`, and how many."""


def test_no_package_imports_a_later_one(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """The command itself would silence the loggers of every test that follows."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    configure()
    assert lint_imports(cache_dir=None, no_logo=True), capfd.readouterr().out


def test_importing_common_stays_cheap() -> None:
    command = "import common, sys; print(sorted({'torch', 'monai', 'numpy'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_no_folder_holds_more_files_than_a_person_holds_in_mind() -> None:
    folders = {file.parent for file in (ROOT / "common").rglob("*.py")}
    sizes = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > WITH_MORE.get(name, MOST_FILES)} == {}


def test_the_documents_state_the_order_that_is_held() -> None:
    contract = re.search(r"layers = \[.*?\n(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL)
    assert contract
    layers = [name for layer in re.findall(r'"(.+?)"', contract[1])[::-1] for name in layer.split(" | ")]
    packages = [name for name in layers if (ROOT / "common" / name).is_dir()]
    for document in ("CONTRIBUTING.md", "README.md"):
        assert " → ".join(packages) in re.sub(r"\s+", " ", (ROOT / document).read_text(encoding="utf-8")), document


def test_no_package_exports_a_name_that_a_file_of_it_has() -> None:
    """Whichever is imported last would stand for both."""
    for package in (ROOT / "common").rglob("__init__.py"):
        beside = {path.stem for path in package.parent.iterdir()}
        names = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse(package.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not beside & names, package


@pytest.mark.parametrize("folder", ["scripts", "benchmarks"])
def test_what_stands_beside_common_is_not_imported_by_it(folder: str) -> None:
    for file in (ROOT / "common").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        assert folder not in {name.partition(".")[0] for name in names}, file
