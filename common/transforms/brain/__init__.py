"""The brain's box of every modality, read by axial slice or as a whole volume."""
