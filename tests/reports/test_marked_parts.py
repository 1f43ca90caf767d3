from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import KnobError
from common.reports.marked_parts import write_parts

BEFORE = "# A\n<!-- knobs:a.yaml -->\nold\n<!-- /knobs -->\nmine\n<!-- knobs:b-2 -->\n<!-- /knobs -->\n"
AFTER = "# A\n<!-- knobs:a.yaml -->\nA.YAML\n<!-- /knobs -->\nmine\n<!-- knobs:b-2 -->\nB-2\n<!-- /knobs -->\n"


def test_each_part_is_written_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(BEFORE)
    assert write_parts(path, "knobs", str.upper, check=True)
    assert path.read_text() == BEFORE
    assert write_parts(path, "knobs", str.upper)
    assert path.read_text() == AFTER
    assert not write_parts(path, "knobs", str.upper)


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        "<!-- table:a -->\n<!-- /table -->\n",  # another kind
        "<!-- knobs:a -->\nopen\n",
        "closed\n<!-- /knobs -->\n",
        "<!-- knobs:a -->\n<!-- knobs:b -->\n<!-- /knobs -->\n",
    ],
)
def test_marks_that_are_missing_or_incomplete(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(text)
    with pytest.raises(KnobError, match="missing or incomplete"):
        write_parts(path, "knobs", str.upper)
    assert path.read_text() == text


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=r"absent\.md: cannot be read"):
        write_parts(tmp_path / "absent.md", "knobs", str.upper)
