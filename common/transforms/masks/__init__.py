"""Tumour masks as images."""
