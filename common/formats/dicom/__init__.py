"""DICOM series: ``files`` reads a file, ``pixels`` checks its pixels, ``order`` makes a stack, ``series`` reads it."""

from __future__ import annotations

from common.formats.dicom.order import DicomSeries, order_files
from common.formats.dicom.series import DicomVolume, find_series, read_ordered, read_series

__all__ = ["DicomSeries", "DicomVolume", "find_series", "order_files", "read_ordered", "read_series"]
