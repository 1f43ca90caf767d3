"""Phantoms as the HDF5 slices of Kaggle's "BraTS2020 Training Data", standardised as those are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from common.cohorts.phantom_mark import MARK
from common.files import atomic_path
from common.formats.hdf5_slices import import_h5py
from common.phantoms.layouts.brats2020 import BratsLayout, write_brats2020_tables
from common.phantoms.scans import PhantomSubject
from common.records import BRATS_MASK_VALUES, MODALITIES


def write_hdf5(folder: Path, subject: PhantomSubject) -> None:
    """Write a patient's slices; see :mod:`common.formats.hdf5_slices`."""
    h5py = import_h5py(folder)
    images = np.stack([subject.modalities[name] for name in MODALITIES], axis=-1)
    masks = np.stack([subject.mask == value for value in BRATS_MASK_VALUES], axis=-1).astype(np.uint8)
    for index in range(images.shape[2]):
        name = f"volume_{subject.patient.index + 1}_slice_{index}.h5"
        # atomic_path holds a lock on the file, which HDF5's own would wait for
        with atomic_path(folder / name) as temporary, h5py.File(temporary, "w", locking=False) as file:
            file.create_dataset("image", data=standardise(images[:, :, index]), compression="gzip", compression_opts=1)
            file.create_dataset("mask", data=masks[:, :, index], compression="gzip", compression_opts=1)
            file.attrs["description"] = MARK


def standardise(plane: np.ndarray) -> np.ndarray:
    """A slice (x, y, channel) with mean 0 and standard deviation 1 of all pixels of each channel, background included.

    A channel that is the same everywhere becomes zero.
    """
    values = plane.astype(np.float64)
    mean, spread = values.mean(axis=(0, 1)), values.std(axis=(0, 1))
    return (values - mean) / np.where(spread == 0, 1, spread)


HDF5 = BratsLayout("BraTS2020_training_data/content/data", write_hdf5, write_brats2020_tables)
