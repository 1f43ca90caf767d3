"""A classifier's report: `summary` and `measures` compute, `verdict` words what may be claimed, `page` writes it."""
