"""Patients with DICOM series and a known MGMT status."""

from __future__ import annotations

from common.cohorts.datalist import scan_datalist
from common.cohorts.datasets.data_set import Found, Kind, Wanted
from common.cohorts.kinds.cohort_kind import CohortKind, Folder
from common.errors import Problem
from common.records import Record, check_modalities


def scan_list(path: Folder, wanted: Wanted) -> Found:
    """A list of one's own: ``subject``, the folder of a series under each modality, and ``mgmt``."""
    check_modalities(wanted.modalities)
    listed, problems = scan_datalist(path, False, wanted.modalities, wanted.excluded, wanted.need_all, folders=True)
    records: list[Record] = [{**record, "mgmt": record.get("mgmt"), "label": record.get("mgmt")} for record in listed]
    if wanted.need_label:
        problems += [_unlabelled(record, path) for record in records if record["label"] is None]
        records = [record for record in records if record["label"] is not None]
    return records, problems


def check_later(records: list[Record], wanted: Wanted) -> Found:
    """All of them: slices are looked at when they are prepared."""
    return records, []


def _unlabelled(record: Record, datalist: Folder) -> Problem:
    hint = "Add mgmt (1 methylated, 0 not) to the entry, or leave the patient out with --exclude."
    return Problem(f"{record['subject']} has no mgmt", str(datalist), hint)


SERIES = CohortKind(
    name="series",
    sample="patient",
    samples="patients",
    what="patients with series",
    takes=lambda data_set: data_set.kind is Kind.SERIES,
    usual="rsna_miccai",
    expected="--dataset_dir <RSNA-MICCAI as downloaded>, or --datalist <a JSON or CSV file>",
    scan_list=scan_list,
    check=check_later,
)
