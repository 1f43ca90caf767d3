from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import OutputError, PackageError
from common.packaging.places import require_bundle, require_free, require_packages
from common.vendored import MANIFEST


def test_what_a_folder_lacks_to_be_a_bundle(tmp_path: Path) -> None:
    for place in ("configs", "docs"):
        (tmp_path / place).mkdir()
    with pytest.raises(OutputError, match=r"configs/metadata\.json, LICENSE is missing"):
        require_bundle(tmp_path)
    (tmp_path / "configs" / "metadata.json").touch()
    (tmp_path / "LICENSE").touch()
    require_bundle(tmp_path)


def test_a_package_replaces_a_package_alone(tmp_path: Path) -> None:
    target = tmp_path / "dist" / "grade"
    require_free(target)
    target.mkdir(parents=True)
    with pytest.raises(OutputError, match="in the way"):
        require_free(target)
    (target / MANIFEST).touch()
    require_free(target)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file, not a folder"):
        require_free(tmp_path / "file" / "grade")


def test_every_folder_that_is_no_package_is_named(tmp_path: Path) -> None:
    good, empty, absent = (tmp_path / name for name in ("good", "empty", "absent"))
    for folder in (good, empty):
        folder.mkdir()
    (good / MANIFEST).touch()
    require_packages([good])
    with pytest.raises(PackageError) as caught:
        require_packages([empty, good, absent])
    assert [problem.where for problem in caught.value.problems] == [str(empty), str(absent)]
