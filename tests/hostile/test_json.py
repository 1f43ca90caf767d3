"""JSON that is nested a hundred thousand times is one message, whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from common.audit.readers.reading import Source, read_split
from common.cohorts.datalist import read_datalist
from common.cohorts.image_list import scan_image_list
from common.cohorts.list_kind import find_list_kind
from common.errors import GliomaError
from common.splits.manifest import load_manifest
from common.studies.clinical import read_clinical_values
from common.studies.rules import read_rules

DEEP = "[" * 100_000 + "]" * 100_000


def read_any_split(path: Path) -> object:
    return read_split(Source(path))


READERS = (read_datalist, scan_image_list, load_manifest, read_rules, read_clinical_values, read_any_split)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", [DEEP, f'{{"training": {DEEP}}}', f'{{"train": {DEEP}}}'])
def test_it_is_refused_by_every_reader(tmp_path: Path, read: Callable[[Path], object], text: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(GliomaError, match="nested too deep"):
        read(path)
    assert find_list_kind(path) == "volumes"
