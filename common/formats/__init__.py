"""From bytes to arrays and tables: NIfTI, DICOM, HDF5, images, CSV. Nothing here depends on what a patient is."""
