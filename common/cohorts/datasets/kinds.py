"""What kind of data set a folder holds, by what lies in it."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from common.cohorts.datasets.brats_releases import find_release
from common.cohorts.datasets.ixi import DEPTH as IXI_DEPTH
from common.cohorts.datasets.ixi import find_scans
from common.cohorts.datasets.rsna_miccai import DEPTH, PATIENT, SERIES_FOLDERS
from common.formats.folders import SUFFIXES, list_folder, walk_tree
from common.formats.images import is_image_name

VOLUMES = (*SUFFIXES, ".h5", ".hdf5")


class DatasetKind(Enum):
    """Kinds of data sets, by what a sample of them is."""

    PATIENTS = "registered volumes of a patient, as BraTS has them"
    PEOPLE = "a volume of a person, as IXI has them"
    SERIES = "DICOM series of a patient, as RSNA-MICCAI has them"
    IMAGES = "single images in folders of classes, as Br35H has them"


def find_kind(folder: str | os.PathLike[str]) -> DatasetKind:
    """The kind of a data set; what none of the others is goes to BraTS's reader, who tells what was looked for."""
    root = Path(folder).expanduser().absolute()
    if not root.is_dir():
        return DatasetKind.PATIENTS
    if is_ixi(root):
        return DatasetKind.PEOPLE
    if walk_tree(root, lambda name: find_release(name) is not None, (), DEPTH).patients:
        return DatasetKind.PATIENTS
    if _holds_series(root):
        return DatasetKind.SERIES
    return DatasetKind.IMAGES if _holds_images(root) else DatasetKind.PATIENTS


def _holds_series(root: Path) -> bool:
    """Whether a folder that is named as a patient of RSNA-MICCAI holds one that is named as a series."""
    names = {name.lower() for name in SERIES_FOLDERS.values()}
    tree = walk_tree(root, lambda name: PATIENT.fullmatch(name) is not None, (), DEPTH)
    folders = (folder for found in tree.patients.values() for folder in found)
    return any(path.name.lower() in names for folder in folders for path in list_folder(folder) if path.is_dir())


def _holds_images(root: Path) -> bool:
    """Whether there are images, and no volumes: pictures beside volumes are previews of them."""
    found = False
    for _, _, names in os.walk(root):
        if any(name.lower().endswith(VOLUMES) for name in names):
            return False
        found = found or any(is_image_name(Path(name)) for name in names)
    return found


def is_ixi(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds volumes that are named as IXI's, and no patient of BraTS."""
    root = Path(folder).expanduser().absolute()
    if not root.is_dir() or not find_scans(root, told=False)[0]:
        return False
    return not walk_tree(root, lambda name: find_release(name) is not None, (), IXI_DEPTH).patients
