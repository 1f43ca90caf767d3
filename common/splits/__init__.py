"""Splits into training, validation and test patients, and the checks against leaks.

The checks of a cohort before it is split are in :mod:`common.shortcuts`; the configs use them by this package's name.
"""

from common.shortcuts import check_clinical, probe_sources
from common.splits.resolve import resolve_split, side_records, with_scans

__all__ = ["check_clinical", "probe_sources", "resolve_split", "side_records", "with_scans"]
