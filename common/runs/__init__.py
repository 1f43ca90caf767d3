"""Trainings and evaluations as commands of the bundles: planned, started one by one, and resumed where they stopped.

Neither MONAI nor torch is needed here: the commands are processes of their own.
"""
