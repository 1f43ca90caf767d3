"""Bundles that need nothing of this repository: folders and zips with their code, weights and exports."""
