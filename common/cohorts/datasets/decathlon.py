"""Task01_BrainTumour of the Medical Segmentation Decathlon, as downloaded.

``imagesTr/BRATS_001.nii.gz`` holds four channels, ``labelsTr/BRATS_001.nii.gz`` the mask; ``dataset.json`` says what
the channels are (``modality``), what the labels mean (``labels``: 1 edema, 2 non-enhancing tumor, 3 enhancing tumour,
another order than BraTS's) and which images have a mask (``training``). The patients are of BraTS 2016 and 2017, under
other names and without grades or clinical values.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.clinical_values import NOT_RECORDED
from common.cohorts.datasets.data_set import DEPTH, DataSet, Found, Kind, Outline, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import is_file, is_folder, read_json, user_path
from common.formats.channels import Channel
from common.formats.folders import find_nifti, list_folder, require_folder, walk_tree

SOURCE = "decathlon"
ENDING = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
TABLE = "dataset.json"
MODALITY_NAMES = {"flair": "flair", "t1w": "t1", "t1": "t1", "t1gd": "t1ce", "t1ce": "t1ce", "t2w": "t2", "t2": "t2"}
"""What records call a channel of ``dataset.json``."""

CLASS_NAMES = ("non-enhancing tumo", "edema", "enhancing tumo")
"""How the labels of NCR, ED and ET begin in ``dataset.json``."""

FETCH = "Download Task01_BrainTumour again, or list the files with --datalist."


def scan_decathlon(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    """The patients whose files are there, and all problems; without masks those of ``test`` are read too.

    Raises:
        DatasetError: there is no such folder, or ``dataset.json`` cannot be understood.
        KnobError: an excluded patient is not in the folder.
    """
    table = _find_table(user_path(root))
    content = _read_table(table)
    channels = _channels(content, wanted.modalities, table)
    mask_values = _mask_values(content, table)
    listed = list(_entries(content, table, with_test=not wanted.need_seg))
    entries, counts = dict(listed), Counter(subject for subject, _ in listed)
    records: list[Any] = []
    problems: list[Problem] = []
    for subject in sorted(keep_scans({subject: subject for subject in entries}, wanted.excluded)):
        if counts[subject] > 1:
            hint = f"Keep one of its entries, or use --exclude {subject}."
            problems.append(Problem(f"{subject} is listed more than once", table, hint))
            continue
        image, mask = entries[subject]
        lacking = [path for path in (image, mask) if path and not is_file(path)]
        if mask is None and wanted.need_seg:
            problems.append(Problem(f"{subject} names no label", table, f"Use --exclude {subject}."))
        problems += [
            Problem("the file does not exist", path, f"{FETCH} Or use --exclude {subject}.") for path in lacking
        ]
        if lacking or (mask is None and wanted.need_seg):
            continue
        files = {name: str(Channel(str(image), channels[name])) for name in wanted.modalities}
        seg = {"seg": str(mask)} if mask else {}
        about = {"subject": subject, "source": SOURCE, "mask_values": list(mask_values)}
        records.append({**about, **files, **seg, **NOT_RECORDED})
    return records, problems


def _find_table(root: Path) -> Path:
    require_folder(root)
    found = walk_tree(root, lambda name: name in ("imagesTr", "imagesTs", "labelsTr"), {TABLE}, DEPTH).tables
    if len(found) != 1:
        what = f"holds {len(found)} files {TABLE} where one is expected"
        raise DatasetError(Problem(what, root, "Pass the unpacked folder of one task, Task01_BrainTumour."))
    return found[0]


def _read_table(table: Path) -> Mapping[str, Any]:
    try:
        content = read_json(table)
    except (OSError, ValueError) as error:
        raise DatasetError(Problem(f"cannot be read as JSON ({error})", table, FETCH)) from error
    if not isinstance(content, dict) or not all(isinstance(content.get(key), dict) for key in ("modality", "labels")):
        raise DatasetError(Problem("says nothing of modality and labels", table, FETCH))
    return content


def _channels(content: Mapping[str, Any], modalities: Sequence[str], table: Path) -> dict[str, int]:
    """The index of each modality's channel."""
    told = {str(name).strip().lower(): _whole(index, table) for index, name in content["modality"].items()}
    found = {MODALITY_NAMES[name]: index for name, index in told.items() if name in MODALITY_NAMES}
    absent = [name for name in modalities if name not in found]
    if absent:
        what = f"names no channel {', '.join(absent)}; its channels are {', '.join(told)}"
        raise DatasetError(Problem(what, table, "Pass Task01_BrainTumour, or choose --modalities that are there."))
    return found


def _mask_values(content: Mapping[str, Any], table: Path) -> tuple[int, ...]:
    """The labels of NCR, ED and ET."""
    told = {str(name).strip().lower(): _whole(value, table) for value, name in content["labels"].items()}
    values = [next((told[name] for name in told if name.startswith(start)), None) for start in CLASS_NAMES]
    known = tuple(value for value in values if value is not None)
    if len(set(known)) < len(CLASS_NAMES):
        what = f"its labels are {', '.join(told)}, where non-enhancing tumor, edema and enhancing tumour are expected"
        raise DatasetError(Problem(what, table, "Pass Task01_BrainTumour: other tasks show no glioma."))
    return known


def _entries(
    content: Mapping[str, Any], table: Path, with_test: bool
) -> Iterable[tuple[str, tuple[Path, Path | None]]]:
    """Image and mask by subject."""
    for section in ("training", "test") if with_test else ("training",):
        listed = content.get(section) or []
        entries = [entry if isinstance(entry, dict) else {"image": entry} for entry in _as_list(listed, section, table)]
        for number, entry in enumerate(entries, 1):
            named = entry.get("image")
            if not isinstance(named, str) or not named.strip():
                raise DatasetError(Problem(f"entry {number} of {section} names no image", table, FETCH))
            label = entry.get("label")
            mask = _find_file(table.parent / str(label)) if label else None
            yield ENDING.sub("", Path(named).name), (_find_file(table.parent / named), mask)


def _as_list(listed: Any, section: str, table: Path) -> list[Any]:
    if not isinstance(listed, list):
        raise DatasetError(Problem(f"its {section} is no list", table, FETCH))
    return listed


def _whole(text: str, table: Path) -> int:
    """The number of a channel, or a label."""
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise DatasetError(Problem(f"{text!r} is no number of a channel or a label", table, FETCH))
    return int(text)


def _find_file(path: Path) -> Path:
    """The file that the table names, or the same with ``.nii`` for ``.nii.gz`` or in another case."""
    if is_file(path) or not is_folder(path.parent):
        return path
    return find_nifti(list_folder(path.parent), ENDING.sub("", path.name)) or path


def _recognise(outline: Outline) -> bool:
    names = {file.name for file in outline.files if file.parent.name in ("imagesTr", "labelsTr")}
    return TABLE in {file.name for file in outline.files} and any(name.upper().startswith("BRATS_") for name in names)


DATA_SETS = (
    DataSet(
        name=SOURCE,
        title="Medical Segmentation Decathlon, Task01_BrainTumour",
        kind=Kind.VOLUMES,
        recognise=_recognise,
        scan=scan_decathlon,
        origin="*Task01_BrainTumour* at medicaldecathlon.com",
        terms="CC BY-SA 4.0",
        citation="Antonelli et al., Nat Commun 13, 4128 (2022); Simpson et al., arXiv:1902.09063",
        tasks=("segmentation",),
        note="It has no grades and no survival.",
    ),
)
