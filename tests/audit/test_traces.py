from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common.audit.contents import Contents, Scan
from common.audit.split import Case
from common.audit.traces import alike, trace_cases
from common.formats.voxel_hashes import VoxelHashes

PREVIEW = np.zeros((2, 2), np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Four volumes, the first two of which are the same bytes, and two equal pictures."""
    contents = {"a.nii": "1", "b.nii": "1", "c.nii": "2", "d.nii": "3", "x.png": "p", "y.png": "p", "z.png": "longer"}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return {name[0]: str(tmp_path / name) for name in contents}


@pytest.fixture
def contents(files: dict[str, str]) -> Contents:
    """``c`` holds the voxels of ``a`` in another file, ``d`` its values in another order."""
    hashes = {
        "a": VoxelHashes("same", "values"),
        "b": VoxelHashes("same", "values"),
        "c": VoxelHashes("same", "values"),
        "d": VoxelHashes("other", "values"),
    }
    scans = {files[name]: Scan((one,), PREVIEW) for name, one in hashes.items()}
    copies = SimpleNamespace(group_of={files["x"]: "g0", files["y"]: "g0", files["z"]: "g1"})
    return Contents(scans, copies)  # type: ignore[arg-type]


@pytest.fixture
def cases(files: dict[str, str]) -> dict[str, Case]:
    return {name: Case(name, (file,)) for name, file in files.items()}


def groups(keys: dict[str, frozenset[str]], names: str) -> list[set[str]]:
    return sorted((found for found in alike(keys, names).values() if len(found) > 1), key=sorted)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("case", []),
        ("file", [{"a", "b"}, {"x", "y"}]),
        ("voxels", [{"a", "b", "c"}]),
        ("moved", [{"a", "b", "c", "d"}]),
        ("picture", [{"x", "y"}]),
        ("patient", [{"a", "z"}]),
    ],
)
def test_which_cases_share_what(cases: dict[str, Case], contents: Contents, kind: str, found: list[set[str]]) -> None:
    traces = trace_cases(cases, {"a": "p1", "z": "p1", "b": "p2"}, contents)
    assert groups(traces[kind], "abcdxyz") == found
    assert groups(traces[kind], "") == []


def test_equal_files_go_by_their_bytes(cases: dict[str, Case], contents: Contents) -> None:
    traces = trace_cases(cases, {}, contents)
    assert traces["file"]["a"] == {hashlib.sha256(b"1").hexdigest()}
    assert traces["file"]["d"] == frozenset()  # no other file can be equal to it, so it is not read


def test_a_scan_with_too_few_values_has_no_copy_that_was_moved(files: dict[str, str]) -> None:
    scans = {files[name]: Scan((VoxelHashes(name, None),), PREVIEW) for name in "ab"}
    traces = trace_cases({name: Case(name, (files[name],)) for name in "ab"}, {}, Contents(scans))
    assert traces["moved"] == {"a": frozenset(), "b": frozenset()}
    assert traces["picture"] == {"a": frozenset(), "b": frozenset()}


def test_without_images_ids_and_patients_are_left(cases: dict[str, Case]) -> None:
    traces = trace_cases(cases, {"a": "p1"}, None)
    assert traces == {"case": {name: {name} for name in cases}, "patient": {"a": {"p1"}}}
