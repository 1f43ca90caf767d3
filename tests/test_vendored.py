from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from common import networks
from common.commands import ROOT
from common.errors import PackageError
from common.vendored import needed_files, open_code, own_file, stamp_of


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the code of this repository, as a package has it."""
    for path in needed_files(ROOT / "common"):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def test_the_stamp_is_that_of_what_a_bundle_needs(copied: Path) -> None:
    stamp = stamp_of(copied / "common")
    assert stamp == stamp_of(ROOT / "common")
    for name in ("__pycache__/errors.pyc", "formats/__pycache__/nifti.pyc", "phantoms/new.py", "packaging/new.py"):
        path = copied / "common" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert stamp_of(copied / "common") == stamp


@pytest.mark.parametrize("change", ["byte", "name"])
def test_another_byte_or_name_is_another_stamp(copied: Path, change: str) -> None:
    stamp, path = stamp_of(copied / "common"), copied / "common" / "names.py"
    if change == "byte":
        path.write_bytes(path.read_bytes() + b"\n")
    else:
        path.rename(path.with_name("renamed.py"))
    assert stamp_of(copied / "common") != stamp


def test_a_package_with_the_same_code_shares_it(copied: Path) -> None:
    code = open_code(copied)
    assert code.networks.load_weights is networks.load_weights
    assert code.reports.copies.write_copies.__module__ == "common.reports.copies"  # nobody has imported it
    assert not hasattr(code, "__wrapped__")  # what MONAI and pickle ask every object for is no package
    assert copy.deepcopy(code).networks.load_weights is networks.load_weights
    with pytest.raises(ImportError, match="no_such_thing"):
        code.networks.no_such_thing  # noqa: B018


def test_a_package_with_other_code_is_refused_and_both_are_named(copied: Path) -> None:
    (copied / "common" / "names.py").write_text("changed = True\n")
    with pytest.raises(PackageError) as caught:
        open_code(copied)
    for part in (stamp_of(copied / "common"), stamp_of(ROOT / "common"), str(copied), str(ROOT)):
        assert part in str(caught.value)


def test_a_file_is_taken_from_its_own_bundle(tmp_path: Path) -> None:
    """By the manifest, or by the folder's name; a folder that is no bundle's may hold anybody's."""
    for name in ("mine", "theirs", "renamed", "plain"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.pt").touch()
    for name in ("mine", "theirs"):
        (tmp_path / name / "configs").mkdir()
    (tmp_path / "renamed" / "manifest.json").write_text('{"bundle": "mine"}')
    places = [tmp_path / "empty", tmp_path / "theirs", tmp_path / "renamed", tmp_path / "mine"]

    def found(root: Path) -> Path:
        return Path(own_file("mine", "model.pt", root, places)).parent

    assert found(tmp_path / "mine") == tmp_path / "mine"
    assert found(tmp_path / "plain") == tmp_path / "plain"
    assert found(tmp_path / "theirs") == tmp_path / "renamed"
    assert found(tmp_path / "empty") == tmp_path / "renamed"
    assert own_file("mine", "other.pt", "root", places) == str(Path("root", "other.pt"))
