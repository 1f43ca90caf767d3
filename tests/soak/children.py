"""Runs of the bundles' commands as processes of their own, forked from one that has imported everything already.

A run tells its moments: each step of an engine, and each file that it opens for writing or puts in its place. Where it
is told to, it halts at one of them, so that something can happen to it there.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import runpy
import signal
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.soak.lives import EVALUATING, INFERRING, PACKAGING, TRAINING

PHASES = {
    TRAINING: ("preparing", "recording", "training", "validating", "saving"),
    EVALUATING: ("evaluating", "reporting"),
    INFERRING: ("predicting", "tabulating"),
    PACKAGING: ("packaging",),
}
"""Of each command. Where a file lies tells the phase that it is written in."""

PATIENCE = 240.0
"""Seconds after which a run counts as hanging."""

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Moment:
    """The ``number``-th moment of a phase, from 0."""

    phase: str
    number: int


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def import_everything() -> None:
    """What a run needs, so that a child need not; pictures stay blank, which saves most of the time of a small run."""
    import matplotlib.figure

    import common.cohorts
    import common.copies
    import common.handlers
    import common.networks
    import common.packaging
    import common.splits
    import common.transforms  # noqa: F401

    matplotlib.figure.Figure.draw = lambda *_: None


class Child:
    """A command that runs.

    Args:
        name: of the command.
        command: what follows ``python``.
        home: the folder that it writes to.
        log: takes what it says.
        halt: where it waits to be released.
    """

    def __init__(self, name: str, command: list[str], home: Path, log: Path, halt: Moment | None = None) -> None:
        self.log, self.moments = log, log.with_suffix(".moments")
        self.code: int | None = None
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _become(command, log, _Watch(name, home, self.moments, theirs, halt))
        theirs.close()
        self.line = ours

    def halted(self) -> bool:
        """Wait until it halts; ``False`` where it ends before."""
        deadline = time.monotonic() + PATIENCE
        self.line.settimeout(0.02)
        while not self._has_ended():
            with contextlib.suppress(TimeoutError):
                if self.line.recv(1) == b"!":
                    return True
                self.wait()
            if time.monotonic() > deadline:
                self.kill_all()
                raise TimeoutError(f"{self.log}: no moment came within {PATIENCE:.0f} s")
        return False

    def release(self) -> None:
        """Let it go on."""
        with contextlib.suppress(OSError):
            self.line.send(b".")

    def send(self, number: signal.Signals, to_group: bool) -> None:
        """A signal, to it alone or to its group as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if to_group else os.kill)(self.pid, number)

    def wait(self, patience: float = PATIENCE) -> int | None:
        """Its exit code, negative for a signal; ``None`` where it does not end in time."""
        deadline = time.monotonic() + patience
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.code

    def kill_all(self) -> None:
        """End it and everything that came of it."""
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait(10)
        survivors(0)

    def said(self) -> str:
        """Its output."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def counted(self) -> Counter[str]:
        """How many moments each phase had."""
        return Counter(line.split(" ", 1)[0] for line in self.moments.read_text().splitlines())

    def _has_ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.line.close()
        return self.code is not None


def survivors(patience: float) -> list[str]:
    """Command lines of the processes that still live some seconds after the run that started them; they are ended."""
    deadline = time.monotonic() + patience
    while (left := _living()) and time.monotonic() < deadline:
        time.sleep(0.05)
    names = [" ".join(process.cmdline())[:120] for process in left]
    for process in left:
        process.kill()
        process.wait(10)
    return names


def _living() -> list[psutil.Process]:
    left = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
            else:
                left.append(process)
    return left


class _Watch:
    """Tells the moments of a run, from within."""

    def __init__(self, name: str, home: Path, told: Path, line: socket.socket, halt: Moment | None) -> None:
        self.name, self.home, self.line, self.halt = name, str(home), line, halt
        self.told = told
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()

    def start(self) -> None:
        from ignite.engine import Engine, Events

        self.pid = os.getpid()
        self.file = os.open(self.told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        fire = Engine._fire_event

        def fire_and_tell(engine: Engine, event: Events, *args: object, **settings: object) -> None:
            if event == Events.ITERATION_STARTED:
                self.tell(self._phase_of_engine(engine), type(engine).__name__)
            fire(engine, event, *args, **settings)

        Engine._fire_event = fire_and_tell
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple) -> None:
        written = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if written or event == "os.rename":
            path = os.fspath(args[0]) if not isinstance(args[0], int) else ""
            path = path if isinstance(path, str) else ""
            if path.startswith(self.home):
                self.tell(self._phase_of_file(path[len(self.home) + 1 :]), f"{event} {path}")

    def tell(self, phase: str, what: str) -> None:
        if os.getpid() != self.pid:
            return
        with self.lock:
            number = self.counts[phase]
            self.counts[phase] += 1
            os.write(self.file, f"{phase} {what}\n".encode())
            if self.halt == Moment(phase, number):
                self.line.send(b"!")
                self.line.recv(1)

    def _phase_of_engine(self, engine: object) -> str:
        if self.name == TRAINING:
            return "training" if type(engine).__name__ == "SupervisedTrainer" else "validating"
        return PHASES[self.name][0]

    def _phase_of_file(self, name: str) -> str:
        if self.name == TRAINING:
            first = name.split("/")[0]
            return "preparing" if first == "cache" else "saving" if "/models/" in name else "recording"
        return PHASES[self.name][-1]


def _become(command: list[str], log: Path, watch: _Watch) -> None:
    """Run a command in this process, which was forked for it, as the interpreter would, and end."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, source in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(source, number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code, interrupted = 1, False
    try:
        watch.start()
        sys.argv = command if command[0] != "-m" else command[1:]
        if command[0] == "-m":
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(command[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        sys.excepthook(type(error), error, error.__traceback__)
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        if interrupted:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(code)
