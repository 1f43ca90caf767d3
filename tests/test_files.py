from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from common import files
from common.errors import OutputError
from common.files import atomic_path, path_within, scratch_folder, stable_hash, write_json, write_text, writing


def only(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_and_its_folders_appear_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "Ödem\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "Ödem\n".encode()
    assert only(tmp_path / "a" / "b") == ["c.txt"]


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.nii.gz", ".nii.gz"), ("Brats18_2013.08.03_seg.nii.gz", ".nii.gz"), ("m.pt", ".pt"), ("plain", "")],
)
def test_the_temporary_name_keeps_the_ending(tmp_path: Path, name: str, ending: str) -> None:
    with atomic_path(tmp_path / name) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(ending)
        temporary.write_text("x")
        assert not (tmp_path / name).exists()
    assert only(tmp_path) == [name]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_stops_a_write_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(type(error)), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert only(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "a.txt").write_text("old")

    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="no space is left") as caught:
        write_text(tmp_path / "a.txt", "new")
    assert str(tmp_path / "a.txt") in str(caught.value)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert only(tmp_path) == ["a.txt"]


def test_a_disk_that_fills_up_while_an_array_is_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space is left"), writing(tmp_path / "a.npy"):
        raise OSError("256 requested and 128 written")  # numpy's words, without a number


def test_a_file_elsewhere_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no such file or directory: /nowhere/a"), writing(tmp_path / "b"):
        Path("/nowhere/a").read_text()


def test_a_folder_that_is_closed_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(OutputError, match="read-only file system"):
            write_text(tmp_path / "a.txt", "new")


WRITER = """
import sys, time
from common import files
from common.files import atomic_path
with atomic_path(sys.argv[1]) as path:
    path.write_text("half")
    print(path.name, flush=True)
    time.sleep(60)
"""
TAKE_AWAY = "from common.files import write_text; import sys; write_text(sys.argv[1], 'whole')"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.txt")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    unfinished = process.stdout.readline().strip()
    subprocess.run([sys.executable, "-c", TAKE_AWAY, str(tmp_path / "b.txt")], check=True)
    assert only(tmp_path) == [unfinished, "b.txt"]
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    subprocess.run([sys.executable, "-c", TAKE_AWAY, str(tmp_path / "c.txt")], check=True)
    assert only(tmp_path) == ["b.txt", "c.txt"]


def test_a_file_that_another_process_takes_for_abandoned_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process locks the file between its making and its claim, and removes it."""
    fcntl = pytest.importorskip("fcntl")
    claim, taken = files._claim, []

    def claim_too_late(handle: int) -> bool:
        if not taken:
            (name,) = tmp_path.glob(f"{files.UNFINISHED}*")
            other = os.open(name, os.O_RDWR)
            fcntl.flock(other, fcntl.LOCK_EX)
            taken.append((name, other))
        return claim(handle)

    monkeypatch.setattr(files, "_claim", claim_too_late)
    with files.atomic_path(tmp_path / "x.txt") as temporary:
        name, other = taken[0]
        name.unlink()
        os.close(other)
        temporary.write_text("whole")
    assert (tmp_path / "x.txt").read_text() == "whole"


def test_a_scratch_folder_goes_with_those_of_killed_processes(tmp_path: Path) -> None:
    (tmp_path / ".making-1" / "deep").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    with pytest.raises(KeyError), scratch_folder(tmp_path, ".making-") as folder:
        assert only(tmp_path) == [folder.name, "mine"]
        raise KeyError
    assert only(tmp_path) == ["mine"]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "a" / "b.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a directory"):
        write_text(tmp_path / "folder", "x")
    assert only(tmp_path) == ["a", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            write_text(tmp_path / "a.txt", "x")
    finally:
        tmp_path.chmod(0o700)


def test_files_are_as_readable_as_any_other_even_from_many_threads(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for part in range(50):
            write_text(tmp_path / f"{number}-{part}", "x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (tmp_path / "plain").write_text("x")
    modes = {entry.stat().st_mode for entry in tmp_path.iterdir()}
    assert modes == {(tmp_path / "plain").stat().st_mode}


def test_json_keeps_no_number_that_is_not_finite(tmp_path: Path) -> None:
    content = {"a": float("nan"), "b": [1, float("inf"), (0.5, -float("inf"))], "c": np.float64("nan"), "d": "ä"}
    write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": None, "b": [1, None, [0.5, None]], "c": None, "d": "ä"}
    assert "ä" in text
    assert text.endswith("\n")


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1])
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", [object()])
    assert json.loads((tmp_path / "a.json").read_text()) == [1]
    assert only(tmp_path) == ["a.json"]


def test_the_hash_depends_on_the_content_alone() -> None:
    assert stable_hash({"a": 1, "b": [2]}) == stable_hash({"b": [2], "a": 1})
    assert stable_hash([1, 2]) != stable_hash([2, 1])
    assert stable_hash("1") != stable_hash(1)
    # printf '"abc"' | sha256sum
    assert stable_hash("abc") == "6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25"


def test_a_path_within_a_folder(tmp_path: Path) -> None:
    assert path_within(tmp_path, "a.txt") == tmp_path / "a.txt"
    assert path_within(tmp_path / "new", "yes/a.txt") == tmp_path / "new" / "yes" / "a.txt"
    (tmp_path / "link").symlink_to(tmp_path / "new")  # a folder that a person has linked to is the person's own choice
    assert path_within(tmp_path / "link", "a.txt") == tmp_path / "link" / "a.txt"


@pytest.mark.parametrize(
    "name", ["../a.txt", "a/../../b.txt", "/etc/a.txt", "", ".", "linked/a.txt", "linked.txt", "a\0b"]
)
def test_a_path_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "linked").symlink_to(tmp_path)
    (tmp_path / "out" / "linked.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(OutputError, match=r"outside|no place to write to"):
        path_within(tmp_path / "out", name)
