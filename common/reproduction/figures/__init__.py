"""Figures of the papers, drawn from what the runs of a table have written."""
