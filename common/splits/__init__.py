"""Who may learn from whom."""

from common.splits.guard import check_protocol
from common.splits.resolve import resolve_split, side_records

__all__ = ["check_protocol", "resolve_split", "side_records"]
