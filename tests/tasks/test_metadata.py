from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.commands import ROOT
from common.errors import PackageError
from common.tasks.metadata import read_metadata

FILES = sorted((ROOT / "bundles").glob("*/configs/metadata.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parts[-3])
def test_every_bundle_has_what_the_suite_uses(path: Path) -> None:
    assert read_metadata(path) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"version": None}, "says nothing of its version"),
        ({"version": "9.9.9"}, "version 9.9.9 is not in the changelog"),
        ({"changelog": ["first"]}, "its changelog is no object"),
        ({"task": ""}, "says nothing of its task"),
        ({"network_data_format": {"inputs": {"image": {}}, "outputs": []}}, "has no outputs"),
        ({"network_data_format": {"inputs": {"image": 3}, "outputs": {"pred": {}}}}, "has no inputs"),
    ],
)
def test_what_is_lacking_is_told(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    content = {**json.loads(FILES[0].read_text(encoding="utf-8")), **changes}
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(PackageError, match=what):
        read_metadata(tmp_path / "metadata.json")


@pytest.mark.parametrize("text", ["", "[]", "5", "{", "[" * 100_000, '{"version": "\\ud800"'])
def test_what_is_no_metadata(tmp_path: Path, text: str) -> None:
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(PackageError, match=r"metadata\.json"):
        read_metadata(tmp_path / "metadata.json")
