"""Generated cohorts, marked as such, in the layouts of real data sets, for trials and tests.

No product module imports them.
"""
