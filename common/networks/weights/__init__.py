"""Weights of networks: checkpoints, their provenance, and published pre-trained weights.

What is refused because of patients that weights were trained on is decided in :mod:`common.splits.guard`.
"""
