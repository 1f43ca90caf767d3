"""A module a kind of cohort: which data sets it takes, its lists, and what is looked at in its files."""
