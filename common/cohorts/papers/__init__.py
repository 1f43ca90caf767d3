"""The cohorts that papers drew from a data set."""
