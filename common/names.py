"""What the id of a patient, a scan or an image may be: files are named by it, and splits compare it."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import OutputError, Problem, list_some
from common.records import Record, scan_of

logger = logging.getLogger(__name__)

MOST_BYTES = 150
"""Of an id in UTF-8: file systems allow 255 for a name, and endings are added."""

IDS = ("subject", "scan")
HINT = (
    f"Files are named by it: give 1 to {MOST_BYTES} bytes without / and \\ and control characters, not . or .. alone."
)
LONGEST_SHOWN = 60
MOST_LISTED = 5
RELEASE = re.compile(r"^brats1[89]_", re.IGNORECASE)
INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
"""Unicode's categories of characters that a reader does not see, spaces among them."""


def subject_of(unit: str) -> str:
    """The subject of ``subject#slice``; a subject's id stays as it is."""
    return unit.rsplit("#", 1)[0]


def person_of(subject: str) -> str:
    """The id without the release's year, the same for a person in BraTS 2018 and in BraTS 2019."""
    return RELEASE.sub("", subject)


def name_some(ids: Iterable[str]) -> str:
    """The first few ids in alphabetical order, and how many more there are."""
    return list_some(sorted(ids), MOST_LISTED)


def name_problem(name: Any, where: str | Path, key: str = "subject", folders: bool = False) -> Problem | None:
    """What forbids an id, ``None`` where nothing does.

    Args:
        name: the id.
        where: it was given, for the message.
        key: what it names: ``subject`` or ``scan``.
        folders: the id is an image's place below a data set's folder, such as ``yes/y12``: each part is looked at.
    """
    parts = str(name).split("/") if folders else [str(name)]
    fault = next((fault for part in parts if (fault := _fault(part))), None)
    return Problem(f"the {key} {_shown(str(name))} {fault}", where, HINT) if fault else None


def name_problems(record: Mapping[Any, Any], where: str | Path, folders: bool = False) -> list[Problem]:
    """What forbids the ids of a record or an item; see :func:`name_problem`."""
    found = [name_problem(record[key], where, key, folders) for key in IDS if record.get(key) is not None]
    return [problem for problem in found if problem]


def soundly_named(records: Iterable[Record], folders: bool = False) -> tuple[list[Record], list[Problem]]:
    """The records whose ids may name files, and the problems of the others."""
    sound: list[Record] = []
    problems: list[Problem] = []
    for record in records:
        wrong = name_problems(record, _place_of(record), folders)
        problems += wrong
        sound += [] if wrong else [record]
    return sound, problems


def file_name_of(item: Mapping[Any, Any], output_dir: str | Path, folders: bool = False) -> str:
    """What the files of an item are called, without an ending: its scan, or its subject.

    A writer asks here, since programs such as MONAI Label hand over items that no reader of ours has seen.

    Raises:
        OutputError: its id is none.
    """
    problems = name_problems(item, output_dir, folders)
    if problems:
        raise OutputError(problems)
    return scan_of(item)


def similar_names(names: Iterable[str]) -> list[list[str]]:
    """Groups of different ids that differ only by zeros, case, spaces, invisible characters or Unicode form."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(_bare(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def warn_of_similar_names(records: Sequence[Record]) -> None:
    """Tell, in one warning, which subjects of a cohort may be one patient under two names."""
    told = describe_similar_names(records)
    if told:
        logger.warning(
            "Ids that differ only by zeros, case, spaces, invisible characters or Unicode form: %s. If they are one "
            "patient, give them the same subject: else this patient may stand on both sides of the split.",
            told,
        )


def describe_similar_names(records: Sequence[Record]) -> str:
    """Such subjects of a cohort, in a few words; empty where there are none."""
    groups = similar_names(str(record["subject"]) for record in records)
    return list_some([" and ".join(map(_spelt, group)) for group in groups], MOST_LISTED, "; ")


def _fault(part: str) -> str | None:
    if not part.strip():
        return "is empty" if not part else "is made of spaces"
    if separator := next((sign for sign in "/\\" if sign in part), None):
        return f"holds a separator of folders ({separator})"
    if part in (".", ".."):
        return "leads to another folder"
    if control := next((sign for sign in part if unicodedata.category(sign) in ("Cc", "Zl", "Zp")), None):
        return f"holds a control character (U+{ord(control):04X})"
    if any(unicodedata.category(sign) == "Cs" for sign in part):
        return "holds bytes that are no text in UTF-8"
    length = len(part.encode("utf-8"))
    return f"has {length} bytes" if length > MOST_BYTES else None


def _shown(name: str) -> str:
    return repr(name) if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]!r}…"


def _spelt(name: str) -> str:
    """As Python writes it; with escapes where two ids look alike."""
    plain = name.isprintable() and unicodedata.normalize("NFC", name) == name
    return repr(name) if plain else ascii(name)


def _bare(name: str) -> str:
    """What is left of an id without case, Unicode form, what cannot be seen, and zeros before a number."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = [sign for sign in text if unicodedata.category(sign) not in INVISIBLE and not "\ufe00" <= sign <= "\ufe0f"]
    return re.sub(r"(?<!\d)0+(?=\d)", "", "".join(seen))


def _place_of(record: Mapping[Any, Any]) -> str:
    """The first file of a record."""
    files = (record.get(key) for key in ("image", "flair", "t1", "t1ce", "t2", "seg"))
    return str(next(filter(None, files), record.get("source", "")))
