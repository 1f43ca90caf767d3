from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common import networks
from common.commands import ROOT
from common.errors import PackageError
from common.vendored import needed_files, open_code, stamp_of


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
    assert code.networks is networks
    assert not hasattr(code, "__wrapped__")  # what MONAI and pickle ask every object for is no package


def test_a_package_with_other_code_is_refused_and_both_are_named(copied: Path) -> None:
    (copied / "common" / "names.py").write_text("changed = True\n")
    with pytest.raises(PackageError) as caught:
        open_code(copied)
    for part in (stamp_of(copied / "common"), stamp_of(ROOT / "common"), str(copied), str(ROOT)):
        assert part in str(caught.value)
