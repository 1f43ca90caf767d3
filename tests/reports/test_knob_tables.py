from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import KnobError
from common.reports.knob_tables import Knob, knob_table, read_knobs, update_document
from scripts.write_documents import main

CONFIG = """\
imports:
  - $import os

# the data
dataset_dir: null  # folder of the data set, as downloaded
shape: [64, 64]  # rows and columns, in voxels
colour: "#ff0000"  # a '#' inside quotes is no comment
empty:  # nothing yet
output_dir: "$@bundle_root + '/eval'"  # where a run | leaves its results
# --- end of knobs ---
hidden: 1
network:
  _target_: Net
"""

DOCUMENT = """\
# Bundle

<!-- knobs:train.yaml -->
old
<!-- /knobs -->

After.
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.yaml").write_text(CONFIG)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text(DOCUMENT)
    return tmp_path


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "train.yaml"
    path.write_text(text)
    return path


def test_knobs_are_read_with_default_and_meaning(tmp_path: Path) -> None:
    assert read_knobs(write(tmp_path, CONFIG)) == [
        Knob("dataset_dir", "null", "folder of the data set, as downloaded"),
        Knob("shape", "[64, 64]", "rows and columns, in voxels"),
        Knob("colour", '"#ff0000"', "a '#' inside quotes is no comment"),
        Knob("empty", "null", "nothing yet"),
        Knob("output_dir", "\"$@bundle_root + '/eval'\"", "where a run | leaves its results"),
    ]


def test_an_overlay_without_an_end_line_is_knobs_throughout(tmp_path: Path) -> None:
    overlay = "recipe: paper  # as published\ntrain#trainer#max_epochs: 30  # epochs\n"
    assert [knob.name for knob in read_knobs(write(tmp_path, overlay))] == ["recipe", "train#trainer#max_epochs"]


def test_all_problems_of_a_config_are_told_at_once(tmp_path: Path) -> None:
    bad = 'a: 1\nb: "# no comment"\nc: 1  # fine\nc: 2  # again\nd:\n  - 1  # of an item\n# --- end of knobs ---\n'
    with pytest.raises(KnobError) as raised:
        read_knobs(write(tmp_path, bad))
    assert [(Path(p.where).name, p.what) for p in raised.value.problems] == [
        ("train.yaml:1", "the knob a has no meaning"),
        ("train.yaml:2", "the knob b has no meaning"),
        ("train.yaml:4", "the knob c appears twice"),
        ("train.yaml:5", "the knob d takes more than one line"),
    ]


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "a: [1\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(KnobError, match=r"train\.yaml"):
        read_knobs(write(tmp_path, text))


def test_a_bar_does_not_break_the_table() -> None:
    assert knob_table([Knob("mode", "'a|b'", "one | other")]) == (
        "| knob | default | meaning |\n|---|---|---|\n| `mode` | `'a\\|b'` | one \\| other |"
    )


def test_only_the_text_between_the_markers_changes(bundle: Path) -> None:
    document = bundle / "docs" / "README.md"
    assert update_document(document, bundle)
    table = knob_table(read_knobs(bundle / "configs" / "train.yaml"))
    assert document.read_text() == DOCUMENT.replace("old", table)
    assert not update_document(document, bundle)


def test_check_tells_and_writes_nothing(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("configs/metadata.json", "LICENSE"):
        (bundle / name).write_text("{}")
    assert main([str(bundle), "--check"]) == 1
    assert "stale" in capsys.readouterr().out
    assert (bundle / "docs" / "README.md").read_text() == DOCUMENT
    assert main([str(bundle)]) == 0
    assert main([str(bundle), "--check"]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "no markers\n",
        "<!-- knobs:train.yaml -->\nnever closed\n",
        "<!-- knobs:train.yaml -->\n<!-- knobs:train.yaml -->\n<!-- /knobs -->\n",
        "<!-- knobs:train.yaml -->\n<!-- /knobs -->\n<!-- /knobs -->\n",
        "<!-- knobs:absent.yaml -->\n<!-- /knobs -->\n",
    ],
)
def test_a_document_with_wrong_markers_is_refused_and_kept(bundle: Path, text: str) -> None:
    document = bundle / "docs" / "README.md"
    document.write_text(text)
    with pytest.raises(KnobError):
        update_document(document, bundle)
    assert document.read_text() == text
