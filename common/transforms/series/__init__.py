"""Slices of DICOM series, or of series exported as images."""
