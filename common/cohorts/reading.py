"""The cohort that a run works on, as its knobs say: one function for all kinds of data sets."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.cohorts.brains.orientations import warn_of_orientations
from common.cohorts.datalist import unread_columns
from common.cohorts.datasets.data_set import Found, Wanted
from common.cohorts.exclusion import split_names
from common.cohorts.kinds.cohort_kind import CohortKind, scan_kind
from common.cohorts.kinds.images import IMAGES
from common.cohorts.kinds.people import PEOPLE, scan_people
from common.cohorts.kinds.series import SERIES
from common.cohorts.kinds.volumes import VOLUMES
from common.command_line import as_typed
from common.errors import DatasetError, KnobError, Problem
from common.names import warn_of_similar_names
from common.records import MODALITIES, Record, check_modalities

logger = logging.getLogger(__name__)

Folder = str | os.PathLike[str]

KINDS: Mapping[str, CohortKind] = {kind.name: kind for kind in (VOLUMES, PEOPLE, SERIES, IMAGES)}
"""What a sample of a run can be."""


def read_cohort(
    dataset_dir: Folder | None = None,
    datalist: Folder | None = None,
    exclude: str | Iterable[str] | None = None,
    need_seg: bool = True,
    modalities: Sequence[str] = MODALITIES,
    need_all: bool = True,
    *,
    kind: str = "volumes",
    healthy_dir: Folder | None = None,
    need_label: bool = True,
    cavity: str = "refuse",
) -> list[Record]:
    """Read the samples of a run, and look at every file as far as is cheap.

    Args:
        dataset_dir: the folder of a data set as downloaded, one of :func:`~common.cohorts.datasets.registry.data_sets`.
        datalist: a JSON or CSV list that replaces the folder.
        exclude: subjects (with all their scans) or scans to leave out, as a list or comma-separated; their files are
            not looked at.
        need_seg: of volumes, whether a patient without a mask is a problem.
        modalities: the images that every patient must have.
        need_all: whether a patient without one of the modalities is a problem.
        kind: what a sample is:
            ``volumes``: registered volumes of a patient, from NIfTI files or HDF5 slices;
            ``people``: the same of patients with a grade, and of healthy people, whose heads may need brain masks;
            ``series``: DICOM series of a patient with a known MGMT status;
            ``images``: single images of classes.
        healthy_dir: of ``people``, an IXI folder, whose people are added as healthy.
        need_label: of ``people`` and ``images``, whether those without a label are left out; of ``series``, whether a
            patient without one is a problem.
        cavity: of volumes, what a resection cavity in a mask becomes: ``refuse``, ``background`` or ``region``; see
            :mod:`common.cohorts.labels.cavity`.

    Returns:
        One record per patient, scan or image, sorted by subject; see :mod:`common.records`.

    Raises:
        DatasetError: with all that is wrong with the folder, the list and the files, or with what the folder holds
            where that is of another kind.
        KnobError: neither a folder nor a list is given, an excluded patient is not there, or there is no such kind or
            modality.
    """
    records, problems = scan_cohort(
        dataset_dir,
        datalist,
        exclude,
        kind=kind,
        healthy_dir=healthy_dir,
        need_seg=need_seg,
        modalities=modalities,
        need_all=need_all,
        need_label=need_label,
        cavity=cavity,
    )
    if problems:
        raise DatasetError(problems)
    if kind != IMAGES.name or datalist:  # in a folder an image is its own subject, whatever its number
        warn_of_similar_names(records)
    if kind in (VOLUMES.name, PEOPLE.name):
        if unread := unread_columns(datalist):
            logger.warning("%s.", unread)
        warn_of_orientations(records, modalities)
    return records


def scan_cohort(
    dataset_dir: Folder | None = None,
    datalist: Folder | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    kind: str = "volumes",
    healthy_dir: Folder | None = None,
    **wanted: Any,
) -> Found:
    """Like :func:`read_cohort`, but return the sound samples and all problems of the others.

    Raises:
        DatasetError: there is nothing to look at.
        KnobError: as in :func:`read_cohort`.
    """
    chosen = Wanted(excluded=split_names(as_typed("exclude", exclude)), **wanted)
    if kind not in KINDS:
        raise KnobError(Problem(f"{kind!r} is no kind of cohort", "kind", f"Say {', '.join(KINDS)}."))
    if kind == VOLUMES.name and chosen.modalities:  # masks need none
        check_modalities(chosen.modalities)
    if kind == PEOPLE.name:
        return scan_people(dataset_dir, healthy_dir, datalist, chosen)
    if healthy_dir:
        hint = "Leave it out: only a network of whole volumes learns from healthy people."
        raise KnobError(Problem(f"a cohort of {kind} has no healthy people", "--healthy_dir", hint))
    return scan_kind(KINDS[kind], dataset_dir, datalist, chosen)
