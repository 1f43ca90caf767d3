"""Phantom cohorts in the layout that each data set has on disk after its download."""
