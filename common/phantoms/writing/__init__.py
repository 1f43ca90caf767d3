"""How phantoms are written: folders, DICOM slices, pictures of slices, and copies planted among them."""
