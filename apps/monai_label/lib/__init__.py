"""The tasks of the app."""
