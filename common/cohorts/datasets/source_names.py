"""Data sets as people write their names."""

from __future__ import annotations

from collections.abc import Mapping

SOURCE_NAMES: Mapping[str, str] = {
    "brats2018": "BraTS 2018",
    "brats2019": "BraTS 2019",
    "brats2020": "BraTS 2020",
    "brats2020_hdf5": "BraTS 2020 (HDF5 slices)",
    "brats2021": "BraTS 2021",
    "brats2023": "BraTS 2023",
    "br35h": "Br35H",
    "ixi": "IXI",
    "rsna_miccai": "RSNA-MICCAI 2021",
}
"""By what records call them."""


def source_name(source: str) -> str:
    """The name of a data set; of a person's own as he wrote it."""
    return SOURCE_NAMES.get(source, source)
