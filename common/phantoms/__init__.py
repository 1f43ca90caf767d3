"""Generated cohorts that say so, in the layouts of real data sets, to try and to test with.

No product module imports them.
"""
