"""nnU-Net's ``splits_final.json``: a list of folds, each with the ids of its ``train`` and its ``val`` side."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.audit.readers.image_files import ImageIndex, group_by_case
from common.audit.split import ORDER, TEST, TRAIN, VALIDATION, Case, Division, Split, side_named
from common.errors import DatasetError, Problem
from common.files import read_json
from common.names import name_some

FORMAT = 'nnU-Net writes [{"train": ["id", ...], "val": ["id", ...]}, ...], a fold an entry.'
FILE = "splits_final.json"
RAW = "nnUNet_raw"
"""The folder of all data sets, and the variable of the environment that names it."""

TRAINING_IMAGES, TEST_IMAGES = "imagesTr", "imagesTs"


def folds_in(content: Any) -> list[Any]:
    """The folds that a JSON file lists, or has under a key each; none where it holds something else."""
    entries = list(content.values()) if isinstance(content, dict) else content
    are_folds = isinstance(entries, list) and all(isinstance(fold, dict) and "train" in fold for fold in entries)
    return entries if are_folds else []


def read_nnunet(path: Path, content: Sequence[Mapping[str, Any]], images: Path | None) -> Split:
    """Read the folds; ``imagesTs``, where it lies beside the images, is a test side for all of them.

    Args:
        path: the file.
        content: its folds.
        images: ``imagesTr``, or the folder that holds it; ``None`` to look for it where nnU-Net has it.

    Raises:
        DatasetError: a fold is malformed, or the folder of images cannot be read.
    """
    folds = _check_folds(content, path)
    ids = list(dict.fromkeys(name for fold in folds for side in fold.values() for name in side))
    divisions = [Division(f"fold {number}", fold) for number, fold in enumerate(folds)]
    folder = _find_images(path, images)
    cases = _cases_of(ids, folder)
    tested = _cases_of_test(folder)
    if tested:
        divisions.append(Division(TEST_IMAGES, {TRAIN: tuple(ids), TEST: tuple(tested)}))
    kind = f"a list of folds as nnU-Net's, {len(folds)} fold{'s' if len(folds) > 1 else ''}"
    return Split(kind, path, {**cases, **tested}, tuple(divisions), tuple(_remarks(folds, ids)))


def _check_folds(content: Sequence[Mapping[str, Any]], path: Path) -> list[dict[str, tuple[str, ...]]]:
    folds, problems = [], []
    for number, fold in enumerate(content):
        sides = {side: ids for key, ids in fold.items() if (side := side_named(str(key)))}
        if len(sides) > 1 and all(map(_are_ids, sides.values())):
            folds.append({side: tuple(map(str, sides[side])) for side in ORDER if side in sides})
        else:
            problems.append(Problem(f"fold {number} has no lists of ids under train and val", path, FORMAT))
    if problems:
        raise DatasetError(problems)
    return folds


def _are_ids(ids: Any) -> bool:
    return isinstance(ids, list) and all(isinstance(name, str | int) for name in ids)


def _find_images(path: Path, images: Path | None) -> Path | None:
    """The folder of the training images: the named one, or where nnU-Net has it."""
    if images is not None:
        return images / TRAINING_IMAGES if (images / TRAINING_IMAGES).is_dir() else images
    raw = [Path(os.environ[RAW])] if RAW in os.environ else []
    raw += [above / RAW for above in path.absolute().parents[2:3]]
    places = [path.parent, *(folder / path.absolute().parent.name for folder in raw)]
    return next((place / TRAINING_IMAGES for place in places if (place / TRAINING_IMAGES).is_dir()), None)


def _cases_of(ids: Sequence[str], folder: Path | None) -> dict[str, Case]:
    if folder is None:
        return {name: Case(name) for name in ids}
    listed = _listed_files(folder.parent)
    index = ImageIndex(folder)
    return {name: Case(name, tuple(listed.get(name) or index.find(name))) for name in ids}


def _cases_of_test(folder: Path | None) -> dict[str, Case]:
    """The cases of ``imagesTs``, named by their place in it: another case may have the same number there."""
    if folder is None or folder.name != TRAINING_IMAGES or not (folder.parent / TEST_IMAGES).is_dir():
        return {}
    found = group_by_case(folder.parent / TEST_IMAGES)
    named = {f"{TEST_IMAGES}/{name}": files for name, files in found.items()}
    return {name: Case(name, tuple(files), by_id=False) for name, files in named.items()}


def _listed_files(dataset: Path) -> dict[str, list[str]]:
    """The images that ``dataset.json`` lists where they do not lie in ``imagesTr``."""
    description = dataset / "dataset.json"
    try:
        content = read_json(description)
        listed = content.get("dataset", {})
        return {name: [str(dataset / file) for file in entry["images"]] for name, entry in listed.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise DatasetError(Problem(f"cannot be read ({error})", description, "Write it anew with nnU-Net.")) from error


def _remarks(folds: Sequence[Mapping[str, Sequence[str]]], ids: Sequence[str]) -> list[str]:
    """Ids twice on a side, and what is validated in no fold or in several."""
    remarks = []
    for number, fold in enumerate(folds):
        for side, names in fold.items():
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                remarks.append(f"fold {number} lists on its side {side} more than once: {name_some(twice)}")
    validated = Counter(name for fold in folds for name in set(fold.get(VALIDATION, ())))
    never = [name for name in ids if not validated[name]]
    often = [name for name, count in validated.items() if count > 1]
    if never and validated and len(folds) > 1:
        remarks.append(f"validated in no fold: {name_some(never)}")
    if often:
        remarks.append(f"validated in several folds: {name_some(often)}")
    return remarks
