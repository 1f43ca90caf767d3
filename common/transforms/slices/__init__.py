"""A few whole axial slices of a patient as one image."""
