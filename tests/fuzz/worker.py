"""A process that makes and reads inputs one by one, measures each, and tells what came of it.

``python -m tests.fuzz.worker FOLDER SEED [COVERAGE]``: a line ``reader number`` comes in, a line of JSON goes out.
A process of its own, so that a crash of a C library, a hang and a lack of memory befall nobody else.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import IO, Any
from zlib import crc32

MOST_BYTES = 2 * 2**30
"""Of memory for one input, beyond what the process had before."""

SAVE_EVERY = 100
WRITING = frozenset(
    {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"}
)


def main() -> None:
    root, seed = Path(sys.argv[1]), int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    root.mkdir(parents=True, exist_ok=True)
    noise = (root / "noise.txt").open("w+b")  # as long as the process
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    measured = _start_coverage(Path(sys.argv[3])) if len(sys.argv) > 3 else None

    from tests.fuzz.readers import READERS

    os.environ["TMPDIR"] = tempfile.tempdir = str(root / "tmp")
    watch = Watch(root, noise)
    print("ready", file=answers)
    for count, line in enumerate(sys.stdin, 1):
        name, number = line.split()
        print(json.dumps(watch.try_input(READERS[name], seed, int(number))), file=answers)
        if measured and count % SAVE_EVERY == 0:
            measured.save()
    if measured:
        measured.stop()
        measured.save()


class Watch:
    """Tries inputs in a folder, and sees what reading does besides returning a value.

    Args:
        root: a folder for this process alone.
        noise: the file that catches what libraries print.
    """

    def __init__(self, root: Path, noise: IO[bytes]) -> None:
        self.root, self.noise = root.resolve(), noise
        self.folders = {name: self.root / name for name in ("in", "out", "tmp")}
        self.armed = False
        self.warm: set[str] = set()
        self.strayed: list[str] = []
        self.logged: list[str] = []
        sys.addaudithook(self._see)
        logging.getLogger().addHandler(_Keep(self.logged))

    def try_input(self, reader: Any, seed: int, number: int) -> dict[str, Any]:
        """Make input ``number`` of a reader and read it; returns what happened as plain values."""
        import numpy as np

        if reader.name not in self.warm:
            self._warm_up(reader)
        self._clear()
        draw = np.random.default_rng([seed, crc32(reader.name.encode()), number])
        mutation, truth = reader.mutate(self.folders["in"], draw)
        about = {"reader": reader.name, "number": number, "mutation": mutation}
        about["header"] = bool(reader.has_header(self.folders["in"]))
        before = _names_below(self.root)
        self._forget()
        held, began = _reset_peak(), time.process_time()
        found = self._read(reader, truth)
        about |= {"seconds": round(time.process_time() - began, 3), "megabytes": round((_peak() - held) / 2**20)}
        if about["megabytes"] > MOST_BYTES / 2**20:
            found = {"outcome": "memory", "told": f"{about['megabytes']} MB"}
        strayed = [*self.strayed, *(before ^ _names_below(self.root))]
        if strayed:
            found = {"outcome": "stray file", "told": ", ".join(strayed[:5])}
        return {**about, "known": truth.known or truth.refusal == "right", **found}

    def _warm_up(self, reader: Any) -> None:
        """Read a sound input first: libraries are loaded when they are first needed, and that is not measured."""
        import numpy as np

        self._clear()
        reader.write(self.folders["in"], np.random.default_rng(0))
        reader.read(self.folders["in"], self.folders["out"])
        self.warm.add(reader.name)

    def _read(self, reader: Any, truth: Any) -> dict[str, str]:
        from common.errors import find_glioma_error

        _limit_memory(_status("VmData") + MOST_BYTES)
        self.armed = True
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = reader.read(self.folders["in"], self.folders["out"])
        except Exception as error:
            return _judge_error(error, find_glioma_error(error) is error, truth)
        finally:
            self.armed = False
            _limit_memory(resource.RLIM_INFINITY)
        if not truth.is_met_by(value):
            return {"outcome": "wrong result", "told": f"{value!r:.600} instead of {truth!r:.600}"}
        if truth.known:
            return {"outcome": "right", "told": ""}
        told = self._noise() + "".join([*self.logged, *(f"{warning.message}\n" for warning in caught)])
        return {"outcome": "warning only", "told": told[-600:]} if told else {"outcome": "read", "told": ""}

    def _clear(self) -> None:
        os.chdir(self.root)
        for folder in self.folders.values():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    def _forget(self) -> None:
        self.strayed.clear()
        self.logged.clear()
        self._noise()

    def _noise(self) -> str:
        """What was printed since the last call."""
        self.noise.seek(0)
        told = self.noise.read().decode("utf-8", "replace")
        self.noise.seek(0)
        self.noise.truncate()
        return told

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed or (event != "open" and event not in WRITING):
            return
        path, mode = arguments[0], arguments[1] if event == "open" else "w"
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if isinstance(path, str | bytes | os.PathLike) and writes and not self._is_allowed(os.fsdecode(path)):
            self.strayed.append(f"{event} {path!r}")

    def _is_allowed(self, path: str) -> bool:
        place = Path(os.path.realpath(path))
        return any(place.is_relative_to(self.folders[name]) for name in ("out", "tmp")) or path == os.devnull


class _Keep(logging.Handler):
    """Keeps what other programs than ours log."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] != "common":
            self.kept.append(f"{record.name}: {record.getMessage()}\n")


def _judge_error(error: Exception, is_ours: bool, truth: Any) -> dict[str, str]:
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, MemoryError) or "allocat" in str(link).lower():
            return {"outcome": "memory", "told": f"{error!r:.300} after {link!r:.300}"}
        link = link.__cause__ or link.__context__
    if not is_ours:
        return {"outcome": "traceback", "told": "".join(traceback.format_exception(error))[-2500:]}
    if truth.refusal == "wrong":
        return {"outcome": "wrong refusal", "told": str(error)[:600]}
    return {"outcome": "refused", "told": str(error)[:300]}


def _names_below(root: Path) -> set[str]:
    """The files and folders that reading must leave as they are, with their sizes."""
    names = set()
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(place, name) != root / "out"]
        for name in (*folders, *files):
            path = Path(place, name)
            size = path.lstat().st_size if name in files and name != "noise.txt" else 0
            names.add(f"{path} {size}")
    return names


def _limit_memory(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """A size of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _start_coverage(file: Path) -> Any:
    import coverage

    measured = coverage.Coverage(
        data_file=str(file), data_suffix=True, config_file=False, source=["common.formats", "common.cohorts"]
    )
    measured.start()
    return measured


if __name__ == "__main__":
    main()
