from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from common.phantoms.layouts.br35h import make_br35h_phantoms
from common.reproduction.papers.catalogue import TABLES, find_table, tables_of_figures
from common.reproduction.table_plan import COLUMNS
from common.runs import processes
from common.runs.processes import start_process
from scripts import reproduce
from tests.front_door import run_here
from tests.short_reports import shorten_reports

TINY = ["image_size=[32,32]", "filters=4", "units=[16]", "epochs=2", "num_workers=0"]


def test_the_command_knows_every_column() -> None:
    assert tuple(column.name for column in COLUMNS) == reproduce.COLUMNS


def test_the_list_names_tables_figures_and_what_is_not_made(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        reproduce.main(["--list"])
    assert not ended.value.code
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert {*TABLES, *tables_of_figures()} == {*names} - {"-"}
    assert any(
        line.split()[:4] == ["p1-figure9", "P1,", "figure", "9"] and "(with p1-table5)" in line for line in lines
    )
    assert any("P1, figure 8" in line and "network_def" in line for line in lines if line.startswith("-"))
    assert names.index("p1-figure9") < names.index("p1-figure10")


def test_a_figure_takes_only_the_runs_that_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["p2-graphic3", "--dataset_dir", str(tmp_path), "--dry_run", "--repeats", "1", "--columns", "paper"]
    assert reproduce.main([*line, "--rows", "net_b"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("#")] == ["# net_b/paper"]
    assert reproduce.main([*line, "--rows", "net_c"]) == 1
    assert "--rows net_c" in capsys.readouterr().err


def test_columns_can_be_chosen_and_the_shuffled_one_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["p1-table5", "--dataset_dir", str(tmp_path), "--dry_run", "--columns", "ours", "paper", "--permute_labels"]
    assert reproduce.main(line) == 0
    runs = [line for line in capsys.readouterr().out.splitlines() if line.startswith("#")]
    assert runs == ["# grade/final/paper", "# grade/final/ours", "# grade/final/permuted"]


@pytest.mark.parametrize("table", TABLES)
def test_a_dry_run_prints_commands_and_writes_nothing(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert reproduce.main([table, "--dataset_dir", str(tmp_path), "--output", str(out), "--dry_run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    commands = [line for line in lines if not line.startswith("#")]
    assert all(line.startswith("python -m monai.bundle run ") for line in commands)
    assert {line.split()[4] for line in commands} == ({"training", "evaluating"} if find_table(table).models else set())
    assert not out.exists()


def test_a_dry_run_takes_no_slow_imports(tmp_path: Path) -> None:
    program = (
        "import sys; from scripts import reproduce; code = reproduce.main(sys.argv[1:])\n"
        "sys.exit(code or sorted({'torch', 'monai', 'sklearn', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    line = [sys.executable, "-c", program, "p1-table3", "--dataset_dir", str(tmp_path), "--dry_run"]
    subprocess.run(line, cwd=reproduce.ROOT, check=True, capture_output=True)


def test_a_mistake_is_told_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["p1-table5", "--dataset_dir", str(tmp_path), "--set", "epochs", "--set", "lr=1", "--set", "lr=2"]
    assert reproduce.main(line) == 1
    told = capsys.readouterr().err
    assert told.startswith("KnobError: 2 problems:")
    assert "--set epochs: it is no name=value" in told
    assert "--set lr=2: it is given twice" in told


def test_failed_runs_are_told_with_their_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phantom_dir: Path
) -> None:
    def fail(command: list[str], log: Path) -> int:
        log.write_text("CheckpointError: weights could not be downloaded\n")
        return 1

    monkeypatch.setattr(processes, "start_process", fail)
    line = ["p1-table5", "--dataset_dir", str(phantom_dir), "--output", str(tmp_path), "--columns", "paper"]
    assert reproduce.main(line) == 1
    told = capsys.readouterr().err
    assert "failed: grade/final/paper\n  exit code 1: CheckpointError: weights could not be downloaded\n" in told
    assert str(tmp_path / "grade" / "final" / "paper" / "log.txt") in told
    assert (tmp_path / "table.html").exists()


@pytest.mark.slow
def test_a_table_of_phantoms_from_files_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one real run here: the same command makes the table of the real data set.

    The first of its nine commands is a process of its own, as all are for a person.
    """
    started: list[Sequence[str]] = []

    def start(command: Sequence[str], log: Path) -> int:
        started.append(command)
        return start_process(command, log) if len(started) == 1 else int(bool(run_here(command, reproduce.ROOT)))

    monkeypatch.setattr(processes, "start_process", start)
    images = make_br35h_phantoms(tmp_path / "images", originals=9, copies=1.5, side=100)
    line = ["p2-table2", "--dataset_dir", str(images), "--output", str(tmp_path / "out"), "--rows", "net_a"]
    knobs = [word for knob in TINY for word in ("--set", knob)]
    with shorten_reports(shuffles=20):
        assert reproduce.main([*line, "--repeats", "1", "--device", "cpu", *knobs]) == 0
    content: dict[str, Any] = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))
    assert content["phantoms"]
    accuracy = next(cell for cell in content["cells"] if (cell["row"], cell["column"]) == ("accuracy", "network A"))
    columns = {part["trained_as"]: (part["recipe"], part["split"]) for part in accuracy["measured"]}
    assert columns == {
        "paper": ("paper", "paper"),
        "paper_by_patient": ("paper", "patient"),
        "ours": ("ours", "patient"),
    }
    leak, recipe = accuracy["differences"]
    assert (leak["kind"], leak["paired"]) == ("leak", None)  # its images were drawn, and few are on the other test side
    assert recipe["kind"] == "recipe"
    assert recipe["paired"] == recipe["n"] > 1
    for name, (trained_by, split_by) in columns.items():
        folder = tmp_path / "out" / "net_a" / name
        told = [json.loads((folder / f"{kind}.json").read_text(encoding="utf-8")) for kind in ("metrics", "split")]
        assert (told[0]["recipe"], told[1]["protocol"]) == (trained_by, split_by)
    page = (tmp_path / "out" / "table.html").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert column.heading.replace("'", "&#39;") in page
        for figure in ("p2-graphic3", "p2-graphic4"):
            assert (tmp_path / "out" / f"{figure}-{column.name}.png").read_bytes().startswith(b"\x89PNG")
            assert f"{figure}-{column.name}.png" in page
    assert "What the split and the recipe account for" in page
