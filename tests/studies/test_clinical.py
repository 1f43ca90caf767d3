from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.errors import KnobError
from common.studies import read_clinical_values


@pytest.fixture
def values(tmp_path: Path) -> Path:
    path = tmp_path / "clinical.json"
    path.write_text('{"age": 61, "resection": "GTR"}')
    return path


def test_what_is_given_takes_the_place_of_the_files(values: Path) -> None:
    assert read_clinical_values(values) == {"age": 61, "resection": "GTR"}
    assert read_clinical_values(values, age="40", resection="STR") == {"age": 40, "resection": "STR"}
    assert read_clinical_values(None) == {}


@pytest.mark.parametrize("given", [{"age": "61"}, {"age": 61, "resection": "GTR"}, {"path": "the file's"}])
def test_an_age_beside_that_of_the_header(values: Path, given: dict[str, Any]) -> None:
    path = values if given.pop("path", None) else None
    with pytest.raises(KnobError, match="Give one of the two"):
        read_clinical_values(path, **given, age_from_header=True)
    assert read_clinical_values(None, resection="GTR", age_from_header=True) == {"resection": "GTR"}
