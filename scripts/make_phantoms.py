"""Make a phantom cohort: seeded brains with tumours in the layout of a real data set, for trials and tests.

python scripts/make_phantoms.py brats2020 phantoms --patients 24 --shape 240 240 155 --seed 0
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.phantoms.layouts.brats2020 import BratsLayout

LAYOUTS = {
    "brats2020": "folders of NIfTI files, with tables",
    "brats2020_hdf5": "the same patients as Kaggle's HDF5 slices, which P3 used (needs h5py)",
    "brats2023": "adult glioma, NIfTI files without tables, one folder per scan",
    "brats2024": "adult glioma after treatment: masks have a label for the resection cavity",
    "decathlon": "Task01_BrainTumour: four channels per file, masks with other labels, dataset.json",
    "upenn_gbm": "glioblastoma with masks in folders of their own, and a table of survival",
    "br35h": "folders of JPG slices with planted copies of each other; --patients is the number of originals per class",
    "rsna_miccai": "folders of DICOM series with MGMT labels",
    "dicom_study": "one DICOM study per patient: four series on one grid, of a brain alone",
    "ixi": "heads without a tumour as NIfTI files in one folder, with brain masks; --patients is their number",
}
OPTIONS = {
    "copies": ("br35h",),
    "scanner": ("ixi",),
    "stripped": ("ixi",),
    "learnable": ("rsna_miccai",),
    "second_timepoints": ("brats2023",),
    **dict.fromkeys(
        ("lgg_share", "lgg_clinical", "blind_grade"),
        ("brats2020", "brats2020_hdf5", "brats2023", "brats2024", "decathlon", "upenn_gbm"),
    ),
}
"""The layouts that an option is of."""

FULL_SHAPE = [240, 240, 155]


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    layouts = "; ".join(f"{name}: {what}" for name, what in LAYOUTS.items())
    parser.add_argument("layout", choices=LAYOUTS, help=f"the data set whose layout and file names to use. {layouts}")
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument("--patients", type=int, default=24, help="how many (default: %(default)s)")
    parser.add_argument(
        "--shape",
        type=int,
        nargs=3,
        metavar=("X", "Y", "Z"),
        help="voxels of a volume, which the head fills; a voxel of BraTS is always 1 mm, "
        "and ixi spans what BraTS of this shape spans "
        "(default: 240 240 155; br35h: slices of X x X, 240; rsna_miccai: 128 128 24)",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same voxels (default: %(default)s)")
    parser.add_argument("--lgg-share", type=float, default=0.3, help="share of LGG patients (default: %(default)s)")
    parser.add_argument("--lgg-clinical", action="store_true", help="write clinical values of LGG too; BraTS has none")
    parser.add_argument("--blind-grade", action="store_true", help="write grades that the tumours do not show")
    parser.add_argument(
        "--second-timepoints", type=int, default=0, help="brats2023: how many patients have a second scan (default: 0)"
    )
    parser.add_argument("--copies", type=float, default=1.5, help="br35h: mean copies of an original (default: 1.5)")
    parser.add_argument(
        "--scanner",
        choices=("other", "same"),
        default="other",
        help="ixi: scanned by other means than the BraTS phantoms, with the skull, or by the same, without "
        "(default: %(default)s)",
    )
    parser.add_argument("--stripped", action="store_true", help="ixi: leave the skull, and so the masks, out")
    parser.add_argument("--learnable", action="store_true", help="rsna_miccai: labels that the images show")
    arguments = parser.parse_args(argv)
    for option, owners in OPTIONS.items():
        if arguments.layout not in owners and getattr(arguments, option) != parser.get_default(option):
            parser.error(f"--{option.replace('_', '-')} is of {', '.join(owners)}")
    return arguments


def choose_layout(name: str, second_timepoints: int) -> BratsLayout:
    """One of :data:`LAYOUTS`."""
    from common.phantoms.layouts import brats2020, brats2020_hdf5, brats2023, brats2024, decathlon, upenn_gbm

    return {
        "brats2020": brats2020.BRATS2020,
        "brats2020_hdf5": brats2020_hdf5.HDF5,
        "brats2023": brats2023.brats2023_layout(second_timepoints),
        "brats2024": brats2024.BRATS2024_LAYOUT,
        "decathlon": decathlon.DECATHLON,
        "upenn_gbm": upenn_gbm.UPENN_GBM,
    }[name]


def make_br35h(arguments: argparse.Namespace) -> Path:
    from common.phantoms.layouts.br35h import make_br35h_phantoms

    side = (arguments.shape or FULL_SHAPE)[0]
    return make_br35h_phantoms(
        arguments.folder, arguments.patients, arguments.copies, arguments.seed, side, progress=True
    )


def make_rsna_miccai(arguments: argparse.Namespace) -> Path:
    from common.phantoms.layouts.rsna_miccai import SMALL_SHAPE, make_rsna_phantoms

    shape = arguments.shape or SMALL_SHAPE
    return make_rsna_phantoms(
        arguments.folder, arguments.patients, shape, arguments.seed, learnable=arguments.learnable, progress=True
    )


def make_dicom_study(arguments: argparse.Namespace) -> Path:
    from common.phantoms.layouts.dicom_study import make_dicom_studies

    shape = arguments.shape or FULL_SHAPE
    make_dicom_studies(arguments.folder, arguments.patients, shape, arguments.seed, progress=True)
    return arguments.folder


def make_ixi(arguments: argparse.Namespace) -> Path:
    from common.phantoms.layouts.ixi import make_ixi_phantoms

    return make_ixi_phantoms(
        arguments.folder,
        people=arguments.patients,
        shape=arguments.shape or FULL_SHAPE,
        seed=arguments.seed,
        scanner=arguments.scanner,
        stripped=arguments.stripped,
        progress=True,
    )


def make_brats(arguments: argparse.Namespace) -> Path:
    from common.phantoms.layouts.brats2020 import make_brats_phantoms

    return make_brats_phantoms(
        arguments.folder,
        patients=arguments.patients,
        shape=arguments.shape or FULL_SHAPE,
        seed=arguments.seed,
        lgg_share=arguments.lgg_share,
        lgg_clinical=arguments.lgg_clinical,
        blind_grade=arguments.blind_grade,
        layout=choose_layout(arguments.layout, arguments.second_timepoints),
        progress=True,
    )


MAKERS = {"br35h": make_br35h, "dicom_study": make_dicom_study, "rsna_miccai": make_rsna_miccai, "ixi": make_ixi}
"""Of the data sets that are no volumes with masks."""


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    folder = MAKERS.get(arguments.layout, make_brats)(arguments)
    print(f"Phantoms, no patients, are in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
