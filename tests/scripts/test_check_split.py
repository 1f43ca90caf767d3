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


def test_a_gap_of_pandas_and_a_closed_folder_are_exit_code_2(main, tmp_path, monkeypatch, capsys):
    path = tmp_path / "list.json"
    path.write_text('{"training": [{"image": "a.nii.gz", "fold": 0}], "testing": [{"image": "b.nii.gz", "fold": NaN}]}')
    assert main([str(path), "--ids_only"]) == 2
    assert f"{path}, testing, entry 1: its fold is no whole number (nan)" in capsys.readouterr().err
    (tmp_path / "data" / "closed").mkdir(parents=True)
    listed = Path.iterdir

    def iterdir(folder):
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert main([str(tmp_path / "data")]) == 2
    told = capsys.readouterr().err
    assert "closed: cannot be read (permission denied)" in told
    assert "Traceback" not in told


def test_a_fault_of_the_check_itself_is_exit_code_2_and_told_whole(main, table, monkeypatch, capsys):
    import common.audit.comparison

    def fail(*_):
        raise ValueError("a fault")

    monkeypatch.setattr(common.audit.comparison, "audit_split", fail)
    assert main([str(table), "--ids_only", "--side_column", "kind"]) == 2
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "ValueError: a fault" in told


def test_a_pattern_finds_the_patient(main, tmp_path, capsys):
    path = tmp_path / "splits_final.json"
    path.write_text(json.dumps([{"train": ["genius_0800_a", "genius_0801_a"], "val": ["genius_0800_b"]}]))
    assert main([str(path), "--ids_only"]) == 0
    assert main([str(path), "--ids_only", "--subject_pattern", r"genius_\d+"]) == 1
    assert "1 patient: genius_0800" in capsys.readouterr().out
