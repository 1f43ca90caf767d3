"""What predicts the label without the tumour."""

from common.shortcuts.clinical_check import check_clinical
from common.shortcuts.probe import probe_shortcuts, probe_sources

__all__ = ["check_clinical", "probe_shortcuts", "probe_sources"]
