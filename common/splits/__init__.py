"""Who may learn from whom."""

from common.splits.clinical_check import check_clinical
from common.splits.guard import check_protocol
from common.splits.resolve import resolve_split, side_records
from common.splits.shortcuts import probe_sources

__all__ = ["check_clinical", "check_protocol", "probe_sources", "resolve_split", "side_records"]
