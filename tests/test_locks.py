from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import OutputError
from common.locks import hold, holding, release

HOLDER = """
import sys, time
from common.locks import hold
try:
    hold(*sys.argv[1:])
    print("held", flush=True)
    time.sleep(60)
except Exception as error:
    print(error, flush=True)
"""


def other_process(*places: Path) -> tuple[subprocess.Popen, str]:
    """Another process that asks for the same, and what it says."""
    command = [sys.executable, "-c", HOLDER, str(places[0]), *map(str, places)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_second_process_is_told_which_folder_is_held_until_it_is_released(tmp_path: Path) -> None:
    hold(tmp_path, tmp_path)
    hold(tmp_path, tmp_path)  # this process may ask again
    process, said = other_process(tmp_path)
    process.wait(10)
    assert said.startswith(f"{tmp_path}: another process is writing here. Wait")
    release(tmp_path)
    process, said = other_process(tmp_path)
    process.kill()
    process.wait(10)
    assert said == "held"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_process_held_is_free(tmp_path: Path, number: signal.Signals) -> None:
    process, said = other_process(tmp_path / "run")
    assert said == "held"
    with pytest.raises(OutputError, match="another process is writing here"):
        hold(tmp_path / "run", tmp_path / "run")
    process.send_signal(number)
    process.wait(10)
    with holding(tmp_path / "run"):
        pass


def test_a_file_is_held_without_its_folder(tmp_path: Path) -> None:
    process, said = other_process(tmp_path / "eval", tmp_path / "models" / "model.pt")
    assert said == "held"
    with pytest.raises(OutputError, match=r"model\.pt: another process"):
        hold("a run", tmp_path / "other", tmp_path / "models" / "model.pt")
    hold("a run", tmp_path / "other", tmp_path / "models" / "paper.pt")
    process.kill()
    process.wait(10)
    release("a run")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_who_holds_a_folder_finds_it_without_the_unfinished_files_of_killed_processes(tmp_path: Path) -> None:
    (tmp_path / ".writing-killed.csv").write_text("half")
    with holding(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        hold(tmp_path / "a" / "b", tmp_path / "a" / "b")


def test_a_run_that_is_refused_its_weights_does_not_hold_its_folder(tmp_path: Path) -> None:
    weights, folder = tmp_path / "models" / "model.pt", tmp_path / "mine"
    process, said = other_process(tmp_path / "theirs", weights)
    assert said == "held"
    with pytest.raises(OutputError, match=r"model\.pt: another process is writing here"):
        hold(weights, folder, weights)
    third, said = other_process(folder)
    assert said == "held"
    for each in (process, third):
        each.kill()
        each.wait(10)
