"""BraTS 2020 as HDF5 slices: a volume of three files, each with an image of four channels and a mask."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from common.phantoms.layouts.brats2020_hdf5 import standardise
from common.records import BRATS_MASK_VALUES, MODALITIES
from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import cut, flip, on_bytes

SLICES = 3


@dataclass
class Slices:
    """What was written.

    Args:
        folder: of the files.
        images: (x, y, slice, channel) intensities.
        masks: (x, y, slice) labels.
    """

    folder: Path
    images: np.ndarray
    masks: np.ndarray

    @property
    def value(self) -> dict[str, Any]:
        parts = {name: self.images[..., index] for index, name in enumerate(MODALITIES)}
        return {**parts, "seg": self.masks}

    def path(self, index: int) -> Path:
        return self.folder / f"volume_1_slice_{index}.h5"

    def save(self, index: int, libver: str = "earliest", **options: Any) -> None:
        with h5py.File(self.path(index), "w", libver=(libver, "latest")) as file:
            file.create_dataset("image", data=self.image(index), **options)
            file.create_dataset("mask", data=self.mask(index), **options)

    def image(self, index: int) -> np.ndarray:
        return standardise(self.images[:, :, index])

    def mask(self, index: int) -> np.ndarray:
        return np.stack([self.masks[:, :, index] == value for value in BRATS_MASK_VALUES], axis=-1).astype(np.uint8)


def write(folder: Path, draw: Draw) -> Slices:
    sides = draw.integers(8, 14, 2)
    images = draw.integers(1, 500, (*sides, SLICES, len(MODALITIES)))
    images[0, 0] = 0
    images[1, 1], images[1, 2] = 7, 8  # a step of 1, so that whole numbers come back
    masks = draw.choice([0, *BRATS_MASK_VALUES], (*sides, SLICES)).astype(np.uint8)
    slices = Slices(folder, images, masks)
    for index in range(SLICES):
        slices.save(index, compression="gzip", compression_opts=1)
    return slices


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As the bundles' cohort reads it."""
    from common.cohorts import check_arrays, read_cohort
    from common.cohorts.phantom_mark import is_phantom
    from common.errors import DatasetError
    from common.formats.volumes import read_volume, read_volume_header

    (record,) = read_cohort(folder)
    parts = {name: read_volume(record[name]) for name in (*MODALITIES, "seg")}  # type: ignore[literal-required]
    arrays = {name: volume.array for name, volume in parts.items()}
    mask = arrays["seg"]
    problems = check_arrays({name: arrays[name] for name in MODALITIES}, mask, record["mask_values"], record)
    if problems:
        raise DatasetError(problems)
    is_phantom(record)
    assert read_volume_header(record["t1"]).shape == mask.shape, "the header has another shape"
    return arrays


def has_header(folder: Path) -> bool:
    files = list(folder.glob("*.h5"))
    return len(files) == SLICES and all(path.read_bytes()[:8] == b"\x89HDF\r\n\x1a\n" for path in files)


def saved_otherwise(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """Compression, pieces, checksums, versions of the format."""
    choices: tuple[dict[str, Any], ...] = (
        {},
        {"compression": "gzip", "compression_opts": 9, "shuffle": True},
        {"compression": "lzf"},
        {"chunks": (2, 3, 1), "fletcher32": True},
        {"chunks": (5, 5, 3), "compression": "gzip"},
        {"maxshape": (None, None, None)},
    )
    for index in range(SLICES):
        slices.save(index, ("earliest", "latest")[draw.integers(2)], **choices[draw.integers(len(choices))])
    return must_be(slices.value)


def other_types(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """Another byte order; masks of other integers."""
    kind = (">f8", "<f8")[draw.integers(2)]
    label = ("u1", "i2", ">i4", "f4")[draw.integers(4)]
    for index in range(SLICES):
        with h5py.File(slices.path(index), "w") as file:
            file.create_dataset("mask", data=slices.mask(index).astype(label))
            file.create_dataset("image", data=slices.image(index).astype(kind))
    return must_be(slices.value)


def more_inside(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """Attributes, groups and other datasets."""
    for index in range(SLICES):
        with h5py.File(slices.path(index), "r+") as file:
            file.attrs["description"] = ("a note", b"\xff\xfe", np.arange(3), np.float64(np.nan))[draw.integers(4)]
            file["image"].attrs["x"] = "é" * int(draw.integers(1, 50))
            file.create_group("more").create_dataset("image", data=np.zeros(3))
            file["link"] = h5py.SoftLink("/nowhere")
    return must_be(slices.value)


def unscaled(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """Slices that were never standardised stay as they are."""
    for index in range(SLICES):
        with h5py.File(slices.path(index), "r+") as file:
            file["image"][...] = slices.images[:, :, index]
    return must_be(slices.value)


def cut_file(folder: Path, slices: Slices, draw: Draw) -> Truth:
    path = one_file(folder, slices, draw)
    path.write_bytes(cut(path.read_bytes(), draw))
    return MUST_BE_REFUSED


def missing(folder: Path, slices: Slices, draw: Draw) -> Truth:
    with h5py.File(one_file(folder, slices, draw), "r+") as file:
        del file[("image", "mask")[draw.integers(2)]]
    return MUST_BE_REFUSED


def odd_dataset(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """Another shape or type, values that are no numbers, links, data in other files, far more voxels than bytes."""
    name = ("image", "mask")[draw.integers(2)]
    for index in range(SLICES) if draw.integers(2) else [int(draw.integers(SLICES))]:
        with h5py.File(slices.path(index), "r+") as file:
            sound = file[name][()]
            del file[name]
            _odd_dataset(file, name, sound, draw)
    return ANYTHING


def _odd_dataset(file: Any, name: str, sound: np.ndarray, draw: Draw) -> None:
    holes = sound.astype(np.float64)
    holes[int(draw.integers(len(holes)))] = draw.choice([np.nan, np.inf, -np.inf, 1e300, -1])
    enormous = (2 ** int(draw.integers(12, 40)), 2**12, sound.shape[2])
    makers: tuple[Callable[[], Any], ...] = (
        lambda: file.create_dataset(name, data=sound[..., :2]),
        lambda: file.create_dataset(name, data=sound[:5]),
        lambda: file.create_dataset(name, data=sound.T),
        lambda: file.create_dataset(name, data=sound[None]),
        lambda: file.create_dataset(name, data=1.0),
        lambda: file.create_dataset(name, data=h5py.Empty("f4")),
        lambda: file.create_dataset(name, data=sound.astype("S8")),
        lambda: file.create_dataset(name, data=sound.astype(str).astype(object), dtype=h5py.string_dtype()),
        lambda: file.create_dataset(name, data=sound.astype(np.complex128)),
        lambda: file.create_dataset(name, data=sound > 0),
        lambda: file.create_dataset(name, shape=sound.shape, dtype=[("a", "f4"), ("b", "i2")]),
        lambda: file.create_dataset(name, shape=sound.shape, dtype=h5py.vlen_dtype(np.int32)),
        lambda: file.create_dataset(name, shape=sound.shape, dtype=h5py.ref_dtype),
        lambda: file.create_dataset(name, shape=sound.shape, dtype=f"V{int(draw.integers(1, 9))}"),
        lambda: file.create_dataset(name, data=holes),
        lambda: file.create_dataset(name, data=np.zeros_like(sound)),
        lambda: file.create_dataset(name, data=sound.astype(np.float16)),
        lambda: file.create_dataset(name, data=sound.astype(np.int64) * 2**40),
        lambda: file.create_group(name),
        lambda: file.__setitem__(name, h5py.SoftLink(f"/{name}")),
        lambda: file.__setitem__(name, h5py.ExternalLink("/nowhere.h5", "x")),
        lambda: file.__setitem__(name, np.dtype("f4")),
        lambda: file.create_dataset(
            name, shape=sound.shape, dtype="f8", external=[("/nowhere.bin", 0, h5py.h5f.UNLIMITED)]
        ),
        lambda: file.create_dataset(name, shape=enormous, dtype="f8", chunks=(8, 8, 1)),
    )
    makers[int(draw.integers(len(makers)))]()


def flip_structure(data: bytes, draw: Draw) -> bytes:
    """Bytes of the superblock, the groups and the datasets' headers, which come first and are small here."""
    return flip(data, draw, 8, min(len(data), 2500))


def flip_one(folder: Path, slices: Slices, draw: Draw) -> Truth:
    path = one_file(folder, slices, draw)
    path.write_bytes(flip_structure(path.read_bytes(), draw))
    return ANYTHING


def one_file(folder: Path, slices: Slices, draw: Draw) -> Path:
    return slices.path(int(draw.integers(SLICES)))


def other_files(folder: Path, slices: Slices, draw: Draw) -> Truth:
    """A table beside the slices, and hidden files."""
    (folder / "name_mapping.csv").write_text("Grade,BraTS_2020_subject_ID\nHGG,BraTS20_Training_001\n")
    (folder / "._volume_1_slice_0.h5").write_bytes(draw.bytes(20))
    os.utime(slices.path(0), (0, 0))
    return must_be(slices.value)


MUTATIONS = (
    Mutation("nothing", lambda folder, slices, draw: must_be(slices.value)),
    Mutation("saved otherwise", saved_otherwise, 2.0),
    Mutation("other types", other_types),
    Mutation("more inside", more_inside),
    Mutation("not standardised", unscaled),
    Mutation("files beside", other_files),
    Mutation("cut file", cut_file),
    Mutation("a dataset is missing", missing),
    Mutation("an odd dataset", odd_dataset, 6.0),
    Mutation("file: bytes flip_structure", flip_one, 5.0),
    *on_bytes("file", one_file),
)

READERS = (Reader("hdf5", write, MUTATIONS, has_header, read),)
