"""Single images."""
