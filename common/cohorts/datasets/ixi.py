"""IXI as downloaded and unpacked: healthy people, ``IXI012-HH-1211-T1.nii.gz`` a file, in one folder or in several.

The files of a copy may be called ``IXI012-HH-1211_T1.nii.gz`` as well. The number after ``IXI`` is the person, the
letters are the hospital: HH (Hammersmith), Guys or IOP.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.brains.masks import find_brain_mask
from common.cohorts.clinical_values import NOT_RECORDED
from common.cohorts.datasets.data_set import DEPTH, DataSet, Found, Kind, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, KnobError, Problem, list_some
from common.files import is_file, is_folder, user_path
from common.formats.folders import list_folder, tell_contents
from common.records import BRATS_MASK_VALUES, HEALTHY, Record, check_modalities

SOURCE = "ixi"
FILE = re.compile(r"(?P<scan>(?P<person>ixi\d+)-[a-z]+-\d+)[-_](?P<sequence>t1|t2)\.nii(\.gz)?", re.IGNORECASE)
STANDS_FOR = {"t1": "T1", "t1ce": "T1", "t2": "T2"}
"""Which of IXI's sequences is taken for a modality: nobody healthy was given contrast agent."""

MOST_TOLD = 5
LOOKED_FOR = (
    "Files such as IXI012-HH-1211-T1.nii.gz were looked for. Pass the folder that IXI-T1.tar was unpacked into, or "
    "a list of your own with --datalist."
)

Scans = dict[str, dict[str, list[Path]]]
"""The files of each scan, by sequence."""

logger = logging.getLogger(__name__)


def read_ixi(root: str | os.PathLike[str], modalities: Sequence[str] = ("t1",)) -> list[Record]:
    """Read IXI as downloaded.

    Args:
        root: the folder that holds the files, directly or a few levels deeper.
        modalities: what every person must have; T1 stands for ``t1`` and ``t1ce``, T2 for ``t2``.

    Returns:
        One record per scan, sorted by name: ``subject`` (such as ``IXI012-HH-1211``), ``scan`` where a person has
        several, ``source`` (``ixi``), ``grade`` (``healthy``), the path of each of ``modalities``, and ``brain_mask``
        where a mask lies beside the first of them; see :func:`~common.cohorts.brains.masks.find_brain_mask`.

    Raises:
        DatasetError: with all that is wrong in the folder.
        KnobError: IXI does not have one of the modalities.
    """
    records, problems = scan_ixi(root, Wanted(modalities=modalities))
    if problems:
        raise DatasetError(problems)
    return records


def scan_ixi(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    """The scans whose files are complete, and all problems.

    Raises:
        DatasetError: there is no such folder, or nothing of IXI in it.
        KnobError: an excluded person is not there, or IXI does not have one of the modalities.
    """
    refuse_absent_sequences(wanted.modalities)
    root = user_path(root)
    scans, problems = find_scans(root)
    if not scans and not problems:
        what = f"no volume of IXI is in it; it {tell_contents(list_folder(root))}"
        raise DatasetError(Problem(what, root, LOOKED_FOR))
    names = _name_people(scans)
    kept = keep_scans({scan: names[scan]["subject"] for scan in scans}, wanted.excluded)
    records: list[Any] = []
    for scan in kept:
        files, wrong = _choose_files(scan, scans[scan], wanted.modalities, root)
        problems += wrong
        if not wrong:
            about = {"source": SOURCE, "mask_values": list(BRATS_MASK_VALUES), **NOT_RECORDED, "grade": HEALTHY}
            records.append({**names[scan], **files, **about})
    return records, problems


def refuse_absent_sequences(modalities: Sequence[str]) -> None:
    """Refuse modalities that IXI does not have, and tell where one file must stand for two.

    Raises:
        KnobError: names them.
    """
    check_modalities(modalities)
    absent = [name for name in modalities if name not in STANDS_FOR]
    if absent:
        hint = f"Choose of {', '.join(STANDS_FOR)}, or leave --healthy_dir out."
        raise KnobError(Problem(f"IXI has no {', '.join(absent)}", "--modalities", hint))
    for sequence, count in Counter(STANDS_FOR[name] for name in modalities).items():
        if count > 1:
            logger.warning("IXI's %s stands for %d channels: their equality tells who is healthy", sequence, count)


def find_scans(root: Path) -> tuple[Scans, list[Problem]]:
    """The files of IXI in ``root`` and up to four levels below it, and folders that cannot be read.

    Raises:
        DatasetError: ``root`` is no folder.
    """
    if not is_folder(root):
        what = "is a file, not a folder" if is_file(root) else "there is no such folder"
        raise DatasetError(Problem(what, root, "Pass the unpacked folder; a list of volumes goes to --datalist."))
    scans: Scans = defaultdict(lambda: defaultdict(list))
    problems: list[Problem] = []
    others: list[str] = []
    for path in _walk(root, DEPTH, problems):
        found = FILE.fullmatch(path.name)
        if found:
            scans[_proper(found["scan"])][found["sequence"].upper()].append(path)
        elif not _belongs_to_scan(path.name):
            others.append(path.name)
    if others and scans:
        logger.info("Not read in %s, for it is no T1 or T2 of IXI: %s", root, list_some(others, MOST_TOLD))
    return dict(sorted(scans.items())), problems


def name_of_file(path: str | os.PathLike[str]) -> str | None:
    """The scan that a file of IXI belongs to, such as ``IXI012-HH-1211``; ``None`` where the name is no such name."""
    found = FILE.fullmatch(Path(path).name)
    return _proper(found["scan"]) if found else None


def _walk(folder: Path, depth: int, problems: list[Problem]) -> Iterable[Path]:
    try:
        contents = list_folder(folder)
    except DatasetError as error:
        problems += error.problems
        return
    for path in contents:
        if path.is_dir() and depth > 0:
            yield from _walk(path, depth - 1, problems)
        elif path.is_file():
            yield path


def _belongs_to_scan(name: str) -> bool:
    """Masks and other derivatives, ``IXI012-HH-1211-T1_mask.nii.gz``, are nothing to tell of."""
    return re.match(r"ixi\d+-[a-z]+-\d+[-_]t[12][-_.]", name, re.IGNORECASE) is not None


def _proper(scan: str) -> str:
    """As the data set writes it, so that a copy in small letters is the same scan."""
    person, hospital, number = scan.upper().split("-")
    return f"{person}-{hospital.capitalize() if hospital == 'GUYS' else hospital}-{number}"


def _name_people(scans: Iterable[str]) -> dict[str, dict[str, str]]:
    """``subject``, and ``scan`` for people with several, who must stay on one side of a split."""
    people: dict[str, list[str]] = defaultdict(list)
    for scan in scans:
        people[scan.partition("-")[0]].append(scan)
    return {
        scan: {"subject": own[0], "scan": scan} if len(own) > 1 else {"subject": scan}
        for own in people.values()
        for scan in own
    }


def _choose_files(
    scan: str, found: dict[str, list[Path]], modalities: Sequence[str], root: Path
) -> tuple[dict[str, Any], list[Problem]]:
    """The path of each modality and perhaps ``brain_mask``."""
    sequences = list(dict.fromkeys(STANDS_FOR[name] for name in modalities))
    problems = []
    for sequence in sequences:
        paths = found.get(sequence, [])
        if not paths:
            hint = f"Download it, or use --exclude {scan}."
            problems.append(Problem(f"{scan} has no {sequence}, but {', '.join(sorted(found))}", root, hint))
        elif len(paths) > 1:
            what = f"the {sequence} of {scan} is there {len(paths)} times: {', '.join(map(str, paths[1:]))} too"
            problems.append(Problem(what, paths[0], "Keep one of them: nobody must be counted twice."))
    if problems:
        return {}, problems
    try:
        mask = find_brain_mask(found[sequences[0]][0])
    except DatasetError as error:
        return {}, list(error.problems)
    files = {name: str(found[STANDS_FOR[name]][0]) for name in modalities}
    return {**files, **({"brain_mask": mask} if mask else {})}, []


DATA_SETS = (
    DataSet(
        name=SOURCE,
        title="IXI",
        kind=Kind.VOLUMES,
        recognise=lambda outline: outline.has_file(FILE.fullmatch),
        scan=scan_ixi,
        origin="*IXI Dataset*, T1 images, at brain-development.org",
        terms="CC BY-SA 3.0",
        citation="IXI, brain-development.org/ixi-dataset (Imperial College London and others; EPSRC GR/S21533/02)",
        tasks=("volume_grade",),
        note="It goes to --healthy_dir.",
        healthy=True,
    ),
)
