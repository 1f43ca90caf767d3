"""A module a data set: how it lies on disk, and records of what is in it."""
