"""Layouts that people have and that are not read: each is named for what it is, with what can be done with it.

Such as ``TCGA_CS_4941/TCGA_CS_4941_1_mask.tif`` (kaggle_3m), ``sub-01/anat/sub-01_T1w.nii.gz`` (BIDS),
``PATIENT/STUDY/SERIES/1-01.dcm`` (TCIA) or ``case_7/flair_raw.nii.gz``.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path

from common.cohorts.datasets.data_set import DataSet, Found, Kind, Outline, Wanted
from common.errors import DatasetError, Problem
from common.formats.dicom.files import is_dicom
from common.formats.folders import SUFFIXES
from common.formats.images import is_image_name

BIDS_FILE = re.compile(r"sub-[a-z0-9]+_.*(t1w|t2w|flair|t1|t2)\.nii(\.gz)?", re.IGNORECASE)
SCAN = re.compile(r"(.*[^a-z])?(flair|t1(w|c|ce|gd|n)?|t2[wf]?|mprage)([^a-z].*)?\.nii(\.gz)?", re.IGNORECASE)
MOST_OPENED = 5
"""Files whose names say nothing."""

DICOM_ENDINGS = (".dcm", ".ima", ".dicom")
MASK_FOLDERS = ("mask", "masks", "label", "labels", "annotations", "segmentation", "segmentations", "ground_truth")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")
PREPARE = (
    "register the modalities of a patient to each other with voxels of 1 mm, strip the skull, and list the files with "
    "--datalist (subject, flair, t1, t1ce, t2, and seg where there is a mask)"
)


def has_masks_beside_slices(outline: Outline) -> bool:
    """An image, and beside it one of its name with ``_mask``."""
    images = {str(file.with_suffix("")).lower() for file in outline.files if is_image_name(file)}
    return any(f"{name}_mask" in images for name in images)


def has_folders_of_masks(outline: Outline) -> bool:
    """A folder that is named after masks, with images that are called as images elsewhere are."""
    images = [file for file in outline.files if is_image_name(file)]
    masks = {file.stem for file in images if file.parent.name.lower() in MASK_FOLDERS}
    others = {file.stem for file in images if file.parent.name.lower() not in MASK_FOLDERS}
    return bool(masks & others)


def has_pictures(outline: Outline) -> bool:
    """Files that are named as single images."""
    return outline.has_file(lambda name: is_image_name(Path(name)))


def has_dicom(outline: Outline) -> bool:
    """Files with an ending of DICOM, or without an ending and with DICOM's mark, and no pictures."""
    if has_pictures(outline):
        return False
    if outline.has_file(lambda name: name.lower().endswith(DICOM_ENDINGS)):
        return True
    unnamed = (file for file in outline.files if not any(map(str.isalpha, file.suffix)))
    return any(map(_begins_as_dicom, islice(unnamed, MOST_OPENED)))


def has_raw_scans(outline: Outline) -> bool:
    """NIfTI files that are named after a modality, and no pictures."""
    return not has_pictures(outline) and outline.has_file(SCAN.fullmatch)


def is_decathlon(outline: Outline) -> bool:
    """The folders and the table of the Medical Segmentation Decathlon."""
    has_folders = outline.has_folder(lambda name: name == "imagesTr") and outline.has_file(
        lambda name: name.endswith(SUFFIXES)
    )
    return has_folders and outline.has_file(lambda name: name == "dataset.json")


def has_archives_alone(outline: Outline) -> bool:
    """Archives, and nothing that came out of one."""
    unpacked = (*SUFFIXES, *DICOM_ENDINGS, ".h5", ".hdf5")
    has_archives = outline.has_file(lambda name: name.lower().endswith(ARCHIVES))
    return (
        has_archives
        and not has_pictures(outline)
        and not outline.has_file(lambda name: name.lower().endswith(unpacked))
    )


def _begins_as_dicom(file: Path) -> bool:
    try:
        return is_dicom(file)
    except OSError:
        return False


def _refuse(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    raise DatasetError(Problem("holds a layout that is not read", str(root), "List its files with --datalist."))


DATA_SETS = (
    DataSet(
        name="masks_beside_slices",
        title="slices with their masks (as kaggle_3m has them, or in a folder of masks)",
        kind=Kind.IMAGES,
        recognise=lambda outline: has_masks_beside_slices(outline) or has_folders_of_masks(outline),
        scan=_refuse,
        refused="Such slices have masks but no classes: no bundle learns from them. To classify the slices, list those "
        "without the masks with --datalist (image, label, subject).",
        rank=1,
    ),
    DataSet(
        name="bids",
        title="BIDS (sub-.../anat/..._T1w.nii.gz)",
        kind=Kind.VOLUMES,
        recognise=lambda outline: outline.has_file(BIDS_FILE.fullmatch),
        scan=_refuse,
        refused=f"BIDS holds images as they were scanned: {PREPARE}.",
        rank=1,
    ),
    DataSet(
        name="decathlon_other",
        title="a task of the Medical Segmentation Decathlon",
        kind=Kind.VOLUMES,
        recognise=is_decathlon,
        scan=_refuse,
        refused="Its dataset.json is no --datalist, for it names no subjects: list its files with --datalist (subject, "
        "image or flair, t1, t1ce, t2, and seg), with mask_values, the labels of NCR, ED and ET in this order.",
        rank=1,
    ),
    DataSet(
        name="dicom",
        title="DICOM series",
        kind=Kind.SERIES,
        recognise=has_dicom,
        scan=_refuse,
        refused="For MGMT classification list them with --datalist (subject, the folder of a series under each of "
        f"flair, t1, t1ce, t2, and mgmt). For the other bundles convert them to NIfTI (dcm2niix), {PREPARE}.",
        rank=1,
    ),
    DataSet(
        name="archive",
        title="an archive that is still packed",
        kind=Kind.VOLUMES,
        recognise=has_archives_alone,
        scan=_refuse,
        refused="Unpack it, and pass the folder.",
        rank=2,
    ),
    DataSet(
        name="raw_mri",
        title="MR volumes (NIfTI) in no layout that is known",
        kind=Kind.VOLUMES,
        recognise=has_raw_scans,
        scan=_refuse,
        refused="BraTS is read as downloaded: check the folders' names. Of images as they were scanned, "
        f"{PREPARE}; a list of registered and stripped ones can be written at once.",
        rank=2,
    ),
)
