"""Image files below a folder, and those that belong to an id: nnU-Net's channels, BraTS's modalities, DICOM series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from common.errors import DatasetError, Problem
from common.formats.dicom.files import is_dicom
from common.formats.folders import SUFFIXES as NIFTI
from common.formats.folders import leads_back, list_folder
from common.formats.images import SUFFIXES as PICTURES

OTHERS = (".mha", ".mhd", ".nrrd", ".nhdr", ".npy", ".npz", ".b2nd", ".h5", ".hdf5", ".mat", ".img", ".gipl")
"""Endings of images that are recognised, and cannot be read here."""

ENDINGS = (*NIFTI, *PICTURES, ".dcm", *OTHERS)
CHANNEL = re.compile(r"_\d{4}$")
"""What nnU-Net adds to an id for each of its channels."""

MODALITY = re.compile(r"[-_.](flair|t1|t1ce|t1c|t1n|t1gd|t1w|t1wce|t2|t2w|t2f|adc|dwi|pd|ct|pet)$", re.IGNORECASE)
MASK = re.compile(r"(^|[-_. ])(seg|segmentation|mask|masks|label|labels|gt|roi|brain_?mask|labelmap)$", re.IGNORECASE)
"""How the name of a mask ends, which is no image of a patient."""

MASK_FOLDER = re.compile(r"(labels?|masks?|segmentations?|annotations?|gt_)(tr|ts)?\w*|__macosx", re.IGNORECASE)


def is_image(name: str) -> bool:
    """Whether a path ends as files of images do."""
    return name.lower().endswith(ENDINGS)


def without_ending(name: str) -> str:
    """``a/b.c`` for ``a/b.c.nii.gz``; what does not end as an image stays."""
    ending = next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def is_mask(stem: str) -> bool:
    """Whether a name without its ending is that of a mask."""
    return MASK.search(stem) is not None


def walk_images(folder: Path) -> Iterator[Path]:
    """Images below a folder, and the folders of DICOM files; neither masks nor hidden files.

    Raises:
        DatasetError: a folder cannot be read.
    """
    try:
        contents = list_folder(folder)
        files = [path for path in contents if path.is_file()]
        images = [path for path in files if is_image(path.name) and path.suffix.lower() != ".dcm"]
        if not images and any(is_dicom(path) for path in files[:3] if path.name != "DICOMDIR"):
            yield folder
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(Problem(f"cannot be read ({reason})", folder, "Check your rights on it.")) from error
    yield from (path for path in images if not is_mask(without_ending(path.name)))
    for path in contents:
        if path.is_dir() and not MASK_FOLDER.fullmatch(path.name) and not leads_back(path):
            yield from walk_images(path)


def group_by_case(folder: Path) -> dict[str, list[str]]:
    """The images below a folder by their case, named by its place: channels and modalities of a scan are one case."""
    cases: dict[str, list[str]] = {}
    for path in walk_images(folder):
        cases.setdefault(_case_of(path, folder), []).append(str(path))
    return cases


class ImageIndex:
    """Finds the files of an id below a folder.

    Args:
        folder: it is walked at once.

    Raises:
        DatasetError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_place: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_folder: dict[str, list[str]] = {}
        for path in walk_images(folder):
            self._add(path)

    def find(self, name: str) -> list[str]:
        """The files of an id, of a place below the folder or of a file's name; none where it is not known.

        Raises:
            DatasetError: files in several folders are called so.
        """
        key = without_ending(name).removeprefix("./")
        found = self._by_place.get(key) or self._by_name.get(key) or self._by_folder.get(key) or []
        if key not in self._by_folder and len({Path(file).parent for file in found}) > 1:
            hint = f"List their places below {self.folder}."
            raise DatasetError(Problem("files in several folders are called so", name, hint))
        return found

    def _add(self, path: Path) -> None:
        place = without_ending(path.relative_to(self.folder).as_posix())
        stem = place.rpartition("/")[2]
        self._by_place.setdefault(place, []).append(str(path))
        for name in {stem, CHANNEL.sub("", stem), MODALITY.sub("", stem)}:
            self._by_name.setdefault(name, []).append(str(path))
        for parent in Path(place).parents[:-1]:
            for name in {parent.as_posix(), parent.name}:
                self._by_folder.setdefault(name, []).append(str(path))


def _case_of(path: Path, folder: Path) -> str:
    """The place of a picture or a series; of a volume without ending, channel and modality, or its own folder's."""
    place = path.relative_to(folder).as_posix()
    if not path.name.lower().endswith((*NIFTI, *OTHERS)):
        return place
    above, _, stem = without_ending(place).rpartition("/")
    scan = MODALITY.sub("", CHANNEL.sub("", stem))
    if above and (scan == above.rpartition("/")[2] or MODALITY.fullmatch(f"_{stem}")):
        return above
    return f"{above}/{scan}" if above else scan
