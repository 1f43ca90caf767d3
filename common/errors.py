"""One family of errors for what a user can fix.

Every message says what is wrong, where, and what to do. MONAI wraps whatever a config raises in errors of its
own; :func:`install_error_hook` finds ours again, so that the user reads one message instead of a traceback.
Programming errors do not belong to the family and keep their traceback.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

MOST_OF_A_KIND = 3
"""Problems of one kind that a person is shown."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Args:
        what: what is wrong, without a full stop.
        where: the file, folder, subject or knob it was found in.
        hint: what the user can do about it.
    """

    what: str
    where: str | Path
    hint: str

    def __str__(self) -> str:
        where = str(self.where).replace("\n", r"\n")  # a name with a line break writes no line of its own
        return visible(f"{where}: {self.what}. {self.hint}".rstrip())


def visible(text: str) -> str:
    """The text for a terminal: control characters, which names of files may hold, are shown as escapes.

    So are bytes that are no text in UTF-8, which could not be printed at all, and signs that turn the text around.
    """
    if text.isprintable():
        return text
    kept = (sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode() for sign in text)
    return "".join(kept)


def _answered_error() -> type[Exception]:
    """``Exception``, or in a process that serves HTTP by Starlette its ``HTTPException``.

    MONAI Label answers every other exception of a request with "Internal Server Error"; of this one the client sees
    the status and the message.
    """
    return getattr(sys.modules.get("starlette.exceptions"), "HTTPException", Exception)


if TYPE_CHECKING:
    AnsweredError = Exception
else:
    AnsweredError = _answered_error()


def list_some(texts: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first texts of a list, and how many more there are, for a message: ``a, b and 7 more``, ``a; b; and 7 more``.

    Args:
        texts: all of them.
        most: how many are shown.
        separator: ``", "`` or ``"; "``.
    """
    rest = len(texts) - most
    more = f"{separator.strip(', ')} and {rest} more" if rest > 0 else ""
    return separator.join(texts[:most]) + more


def sum_up(problems: Sequence[Problem]) -> list[str]:
    """Lines that tell many problems: of each kind the first few, how many more there are, and where all of them are.

    Problems are of a kind if they differ in names and numbers alone. Where some are left out, all are written to a file
    of the user's own in the folder of temporary files, which the last line names.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        kinds.setdefault((_without_names(problem.what), _without_names(problem.hint)), []).append(str(problem))
    lines = []
    for told in kinds.values():
        shown = told if len(told) <= MOST_OF_A_KIND + 1 else told[:MOST_OF_A_KIND]
        lines += [f"  - {text}" for text in shown]
        lines += [f"    and {len(told) - len(shown)} more of this kind"] if len(shown) < len(told) else []
    if len(lines) < len(problems):
        lines.append(f"The whole list: {_write_whole(problems)}")
    return lines


def _without_names(text: str) -> str:
    """A text without numbers, and words that hold one or stand in quotation marks or in capitals."""
    return re.sub(r"'[^']*'|\S*[\dA-Z_/]\S*", "~", text)


def _write_whole(problems: Sequence[Problem]) -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="glioma-problems-", suffix=".txt")  # only the user may read it
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{problem}\n" for problem in problems)
    except OSError as error:
        return f"cannot be written ({error.strerror or error})"
    return path


class GliomaError(AnsweredError):
    """A mistake that the user can fix, in one message.

    A server that is built on Starlette, as MONAI Label's is, answers a request with the message.

    Args:
        problems: a single problem or several of them; the message lists all. A text is what PyTorch makes of an error
            that a data loader's process raised.
    """

    status_code = 400
    headers: Mapping[str, str] | None = None

    def __init__(self, problems: Problem | Iterable[Problem] | str) -> None:
        if isinstance(problems, str):
            message = problems.rpartition(f"{type(self).__name__}: ")[2].strip()
            problems = Problem(message.rstrip("."), "in a process that loads data", "")
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        Exception.__init__(self, self.problems)

    @property
    def detail(self) -> str:
        """What a server answers."""
        return str(self)

    def summary(self) -> str:
        """The message for a person, in which many problems of one kind are summed up."""
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n".join([f"{len(self.problems)} problems:", *sum_up(self.problems)])

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems:\n{listed}"


class DatasetError(GliomaError):
    """The data set, or a file of it, cannot be used as it is."""


class KnobError(GliomaError):
    """A setting on the command line or in a config is unknown or has no meaning."""


class SplitError(GliomaError):
    """A split cannot be made or does not fit the cohort."""


class SplitLeakageError(SplitError):
    """The same subject would be on both sides of a split."""


class CheckpointError(GliomaError):
    """A checkpoint cannot be read, or belongs to another network, recipe or kind of split."""


class PackageError(GliomaError):
    """A package of a bundle cannot be used in this process, or is damaged."""


class OutputError(GliomaError):
    """A result cannot be written where it should go."""


def find_glioma_error(error: BaseException | None) -> GliomaError | None:
    """The first error of our family among ``error``, its causes and its contexts."""
    for link in _chain(error):
        if isinstance(link, GliomaError):
            return link
    return None


def install_error_hook() -> None:
    """Print our errors as one message and exit with 1; leave every other error to the hook that was there before.

    What ignite and MONAI would log of our errors is dropped, so that there is only the one message. An interrupt by the
    person takes one word.
    """
    previous = sys.excepthook
    if getattr(previous, "is_glioma_hook", False):
        return

    _drop_engine_logs()

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        ours = find_glioma_error(error)
        if isinstance(error, KeyboardInterrupt):
            print("\nInterrupted.", file=sys.stderr)
        elif ours is None:
            previous(kind, error, trace)
        else:
            print(f"\n{type(ours).__name__}: {ours.summary()}", file=sys.stderr)

    hook.is_glioma_hook = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _drop_engine_logs() -> None:
    """Drop what ignite and MONAI log of our errors on their way up: the repeated message, and tracebacks.

    A record factory, since logging files replace handlers and disable loggers. It cannot refuse a record, so it puts
    it below the level of every handler.
    """
    previous = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = previous(*args, **kwargs)
        theirs = record.levelno >= logging.ERROR and record.name.partition(".")[0] in ("ignite", "monai")
        error = sys.exc_info()[1]
        if theirs and (find_glioma_error(error) or isinstance(error, KeyboardInterrupt)):
            record.levelno = logging.NOTSET - 1
        return record

    logging.setLogRecordFactory(factory)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
