"""Who may learn from whom.

What a cohort is checked for before it is split stands in :mod:`common.shortcuts`; the configs say it by this name.
"""

from common.shortcuts import check_clinical, probe_sources
from common.splits.guard import check_protocol
from common.splits.resolve import resolve_split, side_records

__all__ = ["check_clinical", "check_protocol", "probe_sources", "resolve_split", "side_records"]
