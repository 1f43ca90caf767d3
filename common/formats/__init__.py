"""From bytes to arrays and tables: NIfTI, DICOM, HDF5, images, CSV.

Of patients only names are known here: those of the images in HDF5 slices, and of the columns of a list.
"""
