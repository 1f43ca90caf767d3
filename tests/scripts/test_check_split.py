from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.copies.near_copies import make_slice, save

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_split.py"


@pytest.fixture
def main(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import check_split

    return check_split.main


@pytest.fixture
def table(tmp_path):
    """Two pictures on each side of a table; ``test`` shows a training picture rotated."""
    for seed, name in enumerate(("a", "b", "c")):
        save(make_slice(seed), tmp_path / "images" / f"{name}.jpg")
    save(make_slice(0).rotate(90, expand=True), tmp_path / "images" / "d.jpg")
    path = tmp_path / "split.csv"
    path.write_text("image;Kind\na.jpg;train\nb.jpg;train\nc.jpg;test\nd.jpg;test\n")
    return path


def test_a_leak_is_told_with_exit_code_1_and_drawn(main, table, tmp_path, capsys):
    images = str(tmp_path / "images")
    code = main([str(table), "--images", images, "--side_column", "kind", "--output", str(tmp_path / "out")])
    told = capsys.readouterr().out
    assert code == 1
    assert "1 of 2 (50.0%) of test" in told
    assert "d.jpg like a.jpg" in told
    assert told.splitlines()[-2:] == [str(tmp_path / "out" / "audit.html"), str(tmp_path / "out" / "pairs.csv")]
    assert (tmp_path / "out" / "audit.html").is_file()


def test_no_leak_is_exit_code_0(main, table, tmp_path, capsys):
    table.write_text(table.read_text().replace("d.jpg;test\n", ""))
    assert main([str(table), "--images", str(tmp_path / "images"), "--side_column", "kind"]) == 0
    assert main([str(table), "--ids_only", "--side_column", "kind"]) == 0


def test_what_cannot_be_checked_is_exit_code_2(main, table, tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert main([str(table)]) == 2  # no column is known
    assert main([str(table), "--side_column", "kind"]) == 2  # the pictures lie elsewhere
    assert main([str(table), "--side_column", "kind", "--ids_only", "--subject_pattern", "("]) == 2
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_a_pattern_finds_the_patient(main, tmp_path, capsys):
    path = tmp_path / "splits_final.json"
    path.write_text(json.dumps([{"train": ["genius_0800_a", "genius_0801_a"], "val": ["genius_0800_b"]}]))
    assert main([str(path), "--ids_only"]) == 0
    assert main([str(path), "--ids_only", "--subject_pattern", r"genius_\d+"]) == 1
    assert "1 patient: genius_0800" in capsys.readouterr().out
