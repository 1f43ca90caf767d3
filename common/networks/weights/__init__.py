"""Weights between runs: how they are written and refused, where they come from, and those that others have trained."""
