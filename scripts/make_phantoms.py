"""Make a phantom cohort: seeded brains with tumours in the layout of a real data set, to try and to test with.

python scripts/make_phantoms.py brats2020 phantoms --patients 24 --shape 240 240 155 --seed 0
"""

from __future__ import annotations

import argparse
from pathlib import Path


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layout", choices=["brats2020"], help="the data set whose layout and file names to use")
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument("--patients", type=int, default=24, help="how many (default: %(default)s)")
    parser.add_argument(
        "--shape",
        type=int,
        nargs=3,
        default=[240, 240, 155],
        metavar=("X", "Y", "Z"),
        help="voxels of a volume, which the head fills; a voxel is always 1 mm (default: 240 240 155)",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same voxels (default: %(default)s)")
    parser.add_argument("--lgg-share", type=float, default=0.3, help="share of LGG patients (default: %(default)s)")
    parser.add_argument("--lgg-clinical", action="store_true", help="write clinical values of LGG too; BraTS has none")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    from common.cohorts.phantoms import make_brats_phantoms

    folder = make_brats_phantoms(
        arguments.folder,
        patients=arguments.patients,
        shape=arguments.shape,
        seed=arguments.seed,
        lgg_share=arguments.lgg_share,
        lgg_clinical=arguments.lgg_clinical,
        progress=True,
    )
    print(f"{arguments.patients} phantoms, no patients, in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
