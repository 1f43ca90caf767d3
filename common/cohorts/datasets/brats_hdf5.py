"""BraTS 2020 as Kaggle's HDF5 slices ("BraTS2020 Training Data", awsaf49): P3's data set.

Beside the slices (:mod:`common.formats.hdf5_slices`) lie ``name_mapping.csv`` and ``survival_info.csv``, as in
BraTS 2020; volume V is the patient ``BraTS20_Training_V`` of three digits.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.cohorts.clinical_values import NOT_RECORDED, read_clinical
from common.cohorts.datasets.brats import TABLES
from common.cohorts.datasets.brats_releases import CITATION, find_release
from common.cohorts.datasets.data_set import DEPTH, DataSet, Found, Kind, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem, list_some
from common.files import user_path
from common.formats.hdf5_slices import SLICE, SliceStack, find_dataset, import_h5py, open_slice
from common.records import BRATS_MASK_VALUES

SOURCE = "brats2020_hdf5"
SHOWN = 5


@dataclass
class SliceTree:
    """What lies in a folder of slices.

    Args:
        volumes: the numbers of the slices of each volume (number and folder).
        tables: the clinical tables.
        nifti: the folder of a BraTS patient, if there is one as well.
    """

    volumes: dict[tuple[int, Path], set[int]] = field(default_factory=lambda: defaultdict(set))
    tables: list[Path] = field(default_factory=list)
    nifti: Path | None = None


def find_slices(root: str | os.PathLike[str]) -> SliceTree:
    """Look for slices and tables in ``root`` and a few levels below it; no file is opened."""
    top = user_path(root)
    tree = SliceTree()
    for place, folders, files in os.walk(top, followlinks=True):
        folder = Path(place)
        patients = [name for name in folders if find_release(name)]
        tree.nifti = tree.nifti or (folder / patients[0] if patients else None)
        too_deep = len(folder.relative_to(top).parts) >= DEPTH
        folders[:] = [] if too_deep else sorted(n for n in folders if n not in patients and n[0] not in "._")
        for name in files:
            if match := SLICE.fullmatch(name):
                tree.volumes[int(match[1]), folder].add(int(match[2]))
            elif name.lower() in TABLES:
                tree.tables.append(folder / name)
    return tree


def scan_hdf5(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    """The patients whose slices are complete, and all problems.

    Names and numbers tell what is missing; one slice of each volume is opened.

    Raises:
        DatasetError: no slice is there, or h5py is not installed.
        KnobError: an excluded patient is not in the folder.
    """
    tree = find_slices(root)
    if not tree.volumes:
        hint = "Files such as volume_1_slice_0.h5 were looked for: pass the unpacked download."
        raise DatasetError(Problem("no HDF5 slice is in it", str(root), hint))
    places: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for number, folder in sorted(tree.volumes):
        places[f"BraTS20_Training_{number:03d}"].append((number, folder))
    kept = keep_scans({subject: subject for subject in places}, wanted.excluded)
    import_h5py(str(root))
    clinical, problems = read_clinical({path: TABLES[path.name.lower()] for path in sorted(tree.tables)})
    problems += _tell_mixed(tree, str(root))
    slices = _usual_count(tree.volumes.values())
    records: list[Any] = []
    for subject in kept:
        (number, folder), *copies = places[subject]
        stem = str(folder / f"volume_{number}_slice_")
        has_mask, wrong = _check_volume(stem, tree.volumes[number, folder], slices, wanted.need_seg)
        wrong += _tell_copies(stem, [str(copy) for _, copy in copies])
        problems += [Problem(each.what, each.where, f"{each.hint} Or use --exclude {subject}.") for each in wrong]
        if not wrong:
            parts = [*wanted.modalities, *(["seg"] if has_mask else [])]
            files = {part: str(SliceStack(stem, slices, part)) for part in parts}
            recorded = {**NOT_RECORDED, **clinical.get(subject.lower(), {})}
            stored = {"mask_values": list(BRATS_MASK_VALUES)}
            records.append({"subject": subject, "source": SOURCE, **files, **stored, **recorded})
    return records, problems


def _usual_count(volumes: Iterable[set[int]]) -> int:
    """How many slices a volume has: what most have, and the larger number where that does not tell."""
    counts = Counter(max(numbers) + 1 for numbers in volumes)
    return max(counts, key=lambda count: (counts[count], count))


def _check_volume(stem: str, found: set[int], slices: int, need_seg: bool) -> tuple[bool, list[Problem]]:
    """Whether a volume has masks, and what is wrong with it: by the names of all slices and a look into one."""
    whole = set(range(slices))
    if found != whole:
        absent, beyond = (list_some(list(map(str, sorted(odd))), SHOWN) for odd in (whole - found, found - whole))
        told = f"without {absent}" if absent else f"{beyond} too much"
        what = f"has {len(found)} slices where the other volumes have {slices}, {told}"
        return False, [Problem(what, f"{stem}*.h5", "Download the missing files again, or remove those too much.")]
    problems: list[Problem] = []
    try:
        with open_slice(f"{stem}{slices // 2}.h5") as file:
            has_mask = "mask" in file
            for name in ("image", "mask") if has_mask or need_seg else ("image",):
                problems += _check_dataset(file, name)
    except DatasetError as error:
        return False, list(error.problems)
    return has_mask, problems


def _check_dataset(file: Any, name: str) -> list[Problem]:
    try:
        find_dataset(file, name)
    except DatasetError as error:
        return list(error.problems)
    return []


def _tell_copies(stem: str, folders: Sequence[str]) -> list[Problem]:
    hint = "Keep one of them: a patient must not be counted twice."
    return [Problem(f"the same volume is also in {', '.join(folders)}", f"{stem}*.h5", hint)] if folders else []


def _tell_mixed(tree: SliceTree, root: str) -> list[Problem]:
    if tree.nifti is None:
        return []
    what = f"holds HDF5 slices and patients with NIfTI files, such as {tree.nifti}"
    return [Problem(what, root, "They may be the same patients: pass the folder of one of them.")]


DATA_SETS = (
    DataSet(
        name=SOURCE,
        title="BraTS 2020 (HDF5 slices)",
        kind=Kind.SLICES,
        recognise=lambda outline: outline.has_file(SLICE.fullmatch),
        scan=scan_hdf5,
        origin="*BraTS2020 Training Data* on Kaggle",
        terms="those of BraTS 2020; Kaggle's page states a licence of its own",
        citation=CITATION,
        tasks=("segmentation", "grade", "survival", "volume_grade"),
        note="It needs h5py.",
    ),
)
