"""Whole volumes at one voxel size and shape."""
