"""Every reader of the suite, with sound inputs and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from tests.fuzz.inputs import Reader

MODULES = {
    "nifti": "nifti",
    "nifti_gz": "nifti",
    "dicom": "dicom",
    "jpg": "images",
    "png": "images",
    "tiff": "images",
    "hdf5": "hdf5",
    "csv_table": "tables",
    "csv_list": "lists",
    "json_list": "lists",
    "dataset_json": "dataset_json",
    "split": "splits",
    "metadata": "metadata",
    "overlay": "overlays",
    "checkpoint": "checkpoints",
    "package": "packages",
}
"""The module of each reader; it is imported when the reader is asked for."""

NAMES = tuple(MODULES)


class _Readers(Mapping[str, Reader]):
    def __getitem__(self, name: str) -> Reader:
        module = import_module(f"tests.fuzz.readers.{MODULES[name]}")
        return next(reader for reader in module.READERS if reader.name == name)

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


READERS = _Readers()
