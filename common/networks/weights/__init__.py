"""Weights of networks: checkpoints, their provenance, and published pre-trained weights."""
