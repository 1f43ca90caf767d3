from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from common.commands import ROOT
from common.errors import PackageError
from common.packaging.archive import checksums, unpack, write_zip
from common.packaging.verification import NEEDED, check_content, verify_package
from common.vendored import MANIFEST

METADATA = ROOT / "bundles" / "glioma_segmentation" / "configs" / "metadata.json"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The files that every package has, with a manifest of them."""
    folder = tmp_path / "made" / "a_bundle"
    for name in (*NEEDED, "common/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    (folder / "configs" / "metadata.json").write_bytes(METADATA.read_bytes())
    (folder / MANIFEST).write_text(json.dumps({"files": checksums(folder)}))
    return folder


@pytest.fixture
def archive(package: Path, tmp_path: Path) -> Path:
    write_zip(package, tmp_path / "a_bundle_v1.zip")
    return tmp_path / "a_bundle_v1.zip"


def refused(path: Path) -> str:
    with pytest.raises(PackageError) as error:
        verify_package(path)
    return str(error.value)


def test_a_zip_comes_back_as_it_was_packed(package: Path, archive: Path, tmp_path: Path) -> None:
    unpacked = unpack(archive, tmp_path / "out")
    assert unpacked == tmp_path / "out" / "a_bundle"
    assert checksums(unpacked) == checksums(package)
    check_content(unpacked)


@pytest.mark.parametrize("name", ["../x.txt", "/x.txt", "a_bundle/../../x.txt", "C:\\x.txt", "x.txt", "other/x.txt"])
def test_names_that_lead_out_of_the_package(archive: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr(name, "x")
    with pytest.raises(PackageError):
        unpack(archive, tmp_path / "out" / "deep")
    assert not list(tmp_path.rglob("x.txt"))


def test_links_and_names_twice(archive: Path) -> None:
    link = zipfile.ZipInfo("a_bundle/link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate name"):
            target.writestr("a_bundle/LICENSE", "another")
    told = refused(archive)
    assert "'a_bundle/link' is a link" in told and "'a_bundle/LICENSE' is in it 2 times" in told


@pytest.mark.parametrize("kept", [0, 10, -30])
def test_a_zip_that_is_cut(archive: Path, kept: int) -> None:
    archive.write_bytes(archive.read_bytes()[:kept])
    assert "it is no zip, or is damaged" in refused(archive)


def test_a_changed_byte(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[data.find(b"a_bundle/LICENSE") + 20] ^= 1
    archive.write_bytes(bytes(data))
    assert "it is no zip, or is damaged" in refused(archive)


def test_code_that_was_added_is_told_and_results_are_not(package: Path) -> None:
    (package / "eval").mkdir()
    (package / "eval" / "metrics.json").write_text("{}")
    check_content(package)
    (package / "common" / "more.py").write_text("print()")
    assert "common/more.py was added" in refused(package)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": []}', '{"files": {"LICENSE": 5}}', "[" * 100_000])
def test_a_manifest_that_is_none(package: Path, text: str) -> None:
    (package / MANIFEST).write_text(text)
    assert MANIFEST in refused(package)


def test_nothing_runs_of_a_package_that_was_changed(package: Path, tmp_path: Path) -> None:
    code = f"network_def: $__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()\n"
    (package / "configs" / "inference.yaml").write_text(code)
    assert "configs/inference.yaml was changed" in refused(package)
    assert not (tmp_path / "ran").exists()
