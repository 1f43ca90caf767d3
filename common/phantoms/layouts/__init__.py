"""A phantom cohort as each data set lies on disk after its download."""
