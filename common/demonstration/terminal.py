"""A command is run: its log holds all that it prints, the terminal what a person should see."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import sys
from collections import deque
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

from common.commands import ROOT, ending_with_parent, shown

LAST_LINES = 25
"""Of a command that fails."""

UP = "\x1b[A"
"""How a bar above another one begins its line again, after blanks."""

BAR = re.compile(r"\d+%\|| \d+%.*\[\d\d:\d\d<")
"""A progress bar."""

OURS = re.compile(r"^\d\d:\d\d:\d\d (INFO|WARNING|ERROR) |INFO - Epoch\[\d+\] Metrics|Error: ")
"""Our own log lines, the measures after an epoch, and errors; MONAI's lines begin with a date."""


def run_step(command: list[str], log: Path) -> int:
    """Run a command; returns its exit code.

    All that it prints goes to the log, what a person should see to the terminal too: results, our own messages and the
    measures of each epoch, but no notices and configs of MONAI; progress bars share one line of a terminal. If it
    fails, its last lines.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    with log.open("a", encoding="utf-8") as file:
        print(f"\n$ {shlex.join(shown(command))}", file=file, flush=True)
        words = [sys.executable, *command]
        with Popen(words, cwd=ROOT, stdout=PIPE, stderr=STDOUT, **ending_with_parent()) as process:
            assert process.stdout is not None
            # A bar overwrites its line by a carriage return, which ends a line here as well.
            for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace", newline=""):
                file.write(line)
                text = line.rstrip("\r\n").rpartition(UP)[2].rstrip()
                if BAR.search(text):
                    show_bar(text)
                elif line != "\r":
                    last.append(text)
                    if matters(text, is_training="-m" in command[:1]):
                        show(f"{clear_line()}{text}\n")
    if process.returncode:
        sys.stderr.write("\n".join([*last, ""]))
    return process.returncode


def show(text: str) -> None:
    """Write at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def show_bar(text: str) -> None:
    """Show how far a command is, in the last line of a terminal; elsewhere not at all."""
    if sys.stdout.isatty():
        show(f"{clear_line()}{text[: shutil.get_terminal_size().columns - 1]}")


def clear_line() -> str:
    """What removes a bar from a terminal."""
    return "\r\x1b[K" if sys.stdout.isatty() else ""


def matters(line: str, is_training: bool) -> bool:
    """Whether a person should see a line of a command's output.

    Args:
        line: without its end, and no progress bar.
        is_training: whether the command is one of MONAI's, which says much beside ours.
    """
    return bool(OURS.search(line)) if is_training else True
