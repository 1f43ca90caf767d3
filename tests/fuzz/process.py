"""The worker's process as its parent sees it: started, asked, timed, and started anew when it dies or hangs."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from common.commands import ROOT

MOST_SECONDS = 10.0
"""Of the processor, for reading one input."""

WAITING_SECONDS = 120.0
"""For an answer, whatever else the machine does; libraries are loaded with a reader's first input."""

STARTING_SECONDS = 240.0


class Process:
    """A worker; see :mod:`tests.fuzz.worker`.

    Args:
        folder: for this worker alone.
        seed: of the inputs.
        coverage: file for the lines that were reached; ``None`` to measure none.
    """

    def __init__(self, folder: Path, seed: int, coverage: Path | None = None) -> None:
        self.folder = folder
        self.command = [sys.executable, "-m", "tests.fuzz.worker", str(folder.resolve()), str(seed)]
        self.command += [str(coverage.resolve())] if coverage else []
        self.running: subprocess.Popen[bytes] | None = None
        self.heard = b""

    def try_input(self, reader: str, number: int) -> dict[str, Any]:
        """What came of an input. One that hangs is tried twice: the machine may have been busy."""
        found = self._try(reader, number)
        return self._try(reader, number) if found["outcome"] == "hang" else found

    def _try(self, reader: str, number: int) -> dict[str, Any]:
        about = {"reader": reader, "number": number, "mutation": "", "header": False}
        if self.running is None:
            self._start()
        assert self.running and self.running.stdin
        self.running.stdin.write(f"{reader} {number}\n".encode())
        self.running.stdin.flush()
        try:
            answer: dict[str, Any] = json.loads(self._hear(WAITING_SECONDS))
        except TimeoutError:
            self._kill()
            return {**about, "outcome": "hang", "told": f"no answer in {WAITING_SECONDS:.0f} s"}
        except EOFError:
            code = self.running.wait()
            self.running = None
            printed = (self.folder / "noise.txt").read_text(errors="replace")
            return {**about, "outcome": "crash", "told": f"{_name_of(code)}: {printed[-1500:]}"}
        if answer["seconds"] > MOST_SECONDS:
            answer |= {"outcome": "hang", "told": f"{answer['seconds']} s of the processor"}
        return answer

    def stop(self) -> None:
        """Let it write its coverage, and end."""
        if self.running and self.running.stdin:
            self.running.stdin.close()
            try:
                self.running.wait(WAITING_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()

    def _start(self) -> None:
        # One thread a library: coverage and the limit of memory count on it, and two workers share the cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONFAULTHANDLER": ""}
        self.heard = b""
        self.running = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
        )
        try:
            self._hear(STARTING_SECONDS)
        except (EOFError, TimeoutError) as error:
            raise RuntimeError("the worker does not start; try --show") from error

    def _hear(self, seconds: float) -> bytes:
        """The next line of the worker's."""
        assert self.running and self.running.stdout
        while b"\n" not in self.heard:
            ready, _, _ = select.select([self.running.stdout], [], [], seconds)
            if not ready:
                raise TimeoutError
            piece = os.read(self.running.stdout.fileno(), 65536)
            if not piece:
                raise EOFError
            self.heard += piece
        line, _, self.heard = self.heard.partition(b"\n")
        return line

    def _kill(self) -> None:
        if self.running:
            self.running.kill()
            self.running.wait()
            self.running = None


def _name_of(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
