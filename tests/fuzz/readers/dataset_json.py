"""``dataset.json`` of the Medical Segmentation Decathlon: which channels, which labels, which files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import deep, odd_parts_of, on_bytes, write_json

CHANNELS = {"FLAIR": "flair", "T1w": "t1", "t1gd": "t1ce", "T2w": "t2"}
LABELS = ("background", "edema", "non-enhancing tumor", "enhancing tumour")
PATIENTS = 2

Made = tuple[Path, dict[str, Any], dict[str, Any]]
"""The file, what it says, and what the records must say."""


def write(folder: Path, draw: Draw) -> Made:
    names = [list(CHANNELS)[int(place)] for place in draw.permutation(4)]
    order = [0, *(int(place) for place in draw.permutation([1, 2, 3]))]
    labels = {str(value): LABELS[place] for value, place in enumerate(order)}
    content = {
        "name": "BRATS",
        "modality": {str(index): name for index, name in enumerate(names)},
        "labels": labels,
        "training": [
            {"image": f"./imagesTr/BRATS_{n:03d}.nii", "label": f"./labelsTr/BRATS_{n:03d}.nii"}
            for n in range(PATIENTS)
        ],
        "test": ["./imagesTs/BRATS_900.nii"],
    }
    value = {}
    for number in range(PATIENTS):
        shape = (5, 4, 3)
        _save(
            folder / "imagesTr" / f"BRATS_{number:03d}.nii", np.random.default_rng(number).integers(0, 99, (*shape, 4))
        )
        _save(folder / "labelsTr" / f"BRATS_{number:03d}.nii", np.random.default_rng(number).integers(0, 4, shape))
        file = folder / "imagesTr" / f"BRATS_{number:03d}.nii"
        value[f"BRATS_{number:03d}"] = {
            **{CHANNELS[name]: f"{file}[{index}]" for index, name in enumerate(names)},
            "mask_values": [order.index(LABELS.index(name)) for name in (LABELS[2], LABELS[1], LABELS[3])],
        }
    write_json(folder / "dataset.json", content)
    return folder / "dataset.json", content, value


def _save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(nib.Nifti1Image(array.astype(np.int16), np.eye(4)).to_bytes())


def read(folder: Path, output: Path) -> dict[str, Any]:
    from common.cohorts import check_voxels, read_cohort
    from common.errors import DatasetError

    records = read_cohort(folder)
    problems = [problem for record in records for problem in check_voxels(record)]
    if problems:
        raise DatasetError(problems)
    keys = (*CHANNELS.values(), "mask_values")
    return {record["subject"]: {key: record.get(key) for key in keys} for record in records}


def has_header(folder: Path) -> bool:
    try:
        return isinstance(json.loads((folder / "dataset.json").read_text(encoding="utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def other_form(folder: Path, made: Made, draw: Draw) -> Truth:
    """Indents, order of keys, marks, names in another case, endings that differ from the files'."""
    path, content, value = made
    ending = (".nii", ".nii.gz")[draw.integers(2)]
    pairs = [{key: file.replace(".nii", ending) for key, file in entry.items()} for entry in content["training"]]
    case = (str.upper, str.lower, str)[draw.integers(3)]
    modality = {key: case(name) for key, name in content["modality"].items()}
    write_json(path, {**content, "training": pairs, "modality": modality, "licence": "é"}, draw)
    return must_be(value)


def missing(folder: Path, made: Made, draw: Draw) -> Truth:
    path, content, _ = made
    what = int(draw.integers(4))
    if what == 0:
        del content[("modality", "labels")[draw.integers(2)]]
    elif what == 1:
        content["modality"].popitem()
    elif what == 2:
        content["labels"].popitem()
    else:
        content["training"][0]["image"] = "./imagesTr/nowhere.nii"
    write_json(path, content)
    return MUST_BE_REFUSED


def odd_parts(folder: Path, made: Made, draw: Draw) -> Truth:
    path, content, _ = made
    write_json(path, odd_parts_of(content, draw))
    return ANYTHING


def the_file(folder: Path, made: Made, draw: Draw) -> Path:
    return made[0]


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made[2])),
    Mutation("another form", other_form, 4.0),
    Mutation("what is refused", missing, 2.0),
    Mutation("odd parts", odd_parts, 6.0),
    deep(the_file),
    *on_bytes("file", the_file),
)

READERS = (Reader("dataset_json", write, MUTATIONS, has_header, read),)
