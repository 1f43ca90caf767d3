"""What a module of this package says of its data set, and what its reader is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import islice
from pathlib import Path

from common.errors import Problem
from common.records import MODALITIES, Record

DEPTH = 4
"""How many levels of folders are looked at: people unpack archives into folders of their own."""

MOST_NAMES = 20_000
MOST_IN_FOLDER = 1_000

Found = tuple[list[Record], list[Problem]]
"""The sound records, and all that is wrong with the others."""


class Kind(Enum):
    """Kinds of data sets, by what a sample of them is."""

    VOLUMES = "volumes"
    SLICES = "volumes in slices"
    SERIES = "DICOM series"
    IMAGES = "single images"


@dataclass(frozen=True)
class Wanted:
    """What a run asks of a data set.

    Args:
        excluded: subjects (with all their scans) or scans to leave out; their files are not looked at.
        modalities: the images that every patient must have.
        need_seg: whether a patient without a mask is a problem.
        need_label: whether a patient or an image without a label is a problem, or none of the cohort.
        need_all: whether a patient without one of the modalities is a problem.
        cavity: what a mask's resection cavity becomes; see :mod:`common.cohorts.labels.cavity`.
        decode: of single images, whether each is decoded; else only their headers are read.
    """

    excluded: Sequence[str] = ()
    modalities: Sequence[str] = MODALITIES
    need_seg: bool = True
    need_label: bool = True
    need_all: bool = True
    cavity: str = "refuse"
    decode: bool = True


EVERYTHING = Wanted()
"""All modalities, masks and labels of everybody."""


@dataclass(frozen=True)
class Outline:
    """The names in a folder and in the folders below it, the upper ones first; no file is opened.

    Args:
        root: an absolute path.
    """

    root: Path

    @cached_property
    def folders(self) -> list[Path]:
        """``root`` and the folders below it, four levels deep."""
        return self._names[0]

    @cached_property
    def files(self) -> list[Path]:
        """The files in those folders."""
        return self._names[1]

    def has_folder(self, is_meant: Callable[[str], object]) -> bool:
        """Whether a folder has a name that is meant."""
        return any(is_meant(folder.name) for folder in self.folders)

    def has_file(self, is_meant: Callable[[str], object]) -> bool:
        """Whether a file has a name that is meant."""
        return any(is_meant(file.name) for file in self.files)

    @cached_property
    def _names(self) -> tuple[list[Path], list[Path]]:
        folders, files = [self.root], list[Path]()
        level = [self.root]
        for depth in range(DEPTH + 1):
            below: list[Path] = []
            for folder in level:
                if len(folders) + len(files) > MOST_NAMES:
                    return folders, files
                for path, is_folder in _list(folder):
                    (below if is_folder else files).append(path)
            level = below if depth < DEPTH else []
            folders += level
        return folders, files


@dataclass(frozen=True)
class DataSet:
    """A data set: all that the suite knows of it.

    Args:
        name: what stands under ``source`` of its records.
        title: its name as people write it.
        kind: what a sample of it is.
        recognise: whether a folder holds it.
        scan: the sound records of a folder and all problems. Raises ``DatasetError`` where nothing of it is there,
            ``KnobError`` where somebody is excluded who is not there.
        origin: where it is given out, by its official name.
        terms: under which terms, as far as they are known without its registration.
        citation: what its holders ask to be cited.
        tasks: that can be trained or judged on it, by the names of :mod:`common.tasks`.
        note: how it is passed, or what it lacks.
        healthy: whether its people have no tumour.
        refused: why it is not read and what can be done; empty for a data set that is read.
        rank: data sets of a lower rank are asked first: 0 knows its own names, 1 is a layout, 2 any folder of
            images.
    """

    name: str
    title: str
    kind: Kind
    recognise: Callable[[Outline], bool]
    scan: Callable[[str | os.PathLike[str], Wanted], Found]
    origin: str = ""
    terms: str = ""
    citation: str = ""
    tasks: tuple[str, ...] = ()
    note: str = ""
    healthy: bool = False
    refused: str = ""
    rank: int = 0

    @property
    def read_by(self) -> str:
        """What of the suite reads it; for a person who passed it to something else."""
        named = [name.replace("_", " ") for name in self.tasks]
        readers = f"It is read for {' and '.join(filter(None, (', '.join(named[:-1]), *named[-1:])))}." if named else ""
        return f"{readers} {self.note}".strip()


def _list(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The first contents of a folder, each with whether it is a folder itself; without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(islice(entries, MOST_IN_FOLDER), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if not entry.name.startswith((".", "__MACOSX")):
            yield Path(entry.path), entry.is_dir()
