"""The brain's box of every modality, read an axial slice or a whole volume at a time."""
