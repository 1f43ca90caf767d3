#!/usr/bin/env python
"""Tell what a data set holds, what is wrong with it, which shortcuts tell the label, and what its cache will take.

With --healthy, or of an IXI folder, one image of each person is looked at (T1ce, of IXI T1); heads need brain masks.
The exit code is 1 when something is wrong. Nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.cohorts import Record
    from common.errors import Problem
    from common.reports.cohort import CaseCost

ONE_IMAGE = ("t1ce",)


def main(argv: list[str] | None = None) -> int:
    """Check the data set that the command line names."""
    options = parse_options(argv)
    from common.cohorts import MODALITIES

    is_volumes = has_healthy(options)
    modalities = ONE_IMAGE if is_volumes else MODALITIES
    records, problems = (scan_volumes if is_volumes else scan_patients)(options)
    if records:
        from common.reports.cohort import describe_cohort

        places = " and ".join(filter(None, (options.datalist or options.folder, options.healthy)))
        print(f"What is there: {places}\n{describe_cohort(records, modalities)}\n")
    looked_at = records[:1] if options.headers_only else records
    costs, found = ([], read_volumes(looked_at)) if is_volumes else measure(looked_at)
    problems += found
    tell_problems(problems, options.headers_only)
    if records:
        from common.splits.shortcuts import probe_shortcuts

        print(f"\n{probe_shortcuts(records, 'grade').text()}")
    if costs:
        from common.reports.cohort import describe_cache

        print(f"\nTraining cache\n{describe_cache(costs, len(records))}")
    return 1 if problems else 0


def parse_options(argv: list[str] | None) -> argparse.Namespace:
    """The command line; it must name a folder or a list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", nargs="?", help="a BraTS folder as downloaded: 2018 to 2021, 2023, or HDF5 slices; or an IXI folder"
    )
    parser.add_argument("--datalist", help="a JSON or CSV list of patients, instead of the folder")
    parser.add_argument("--healthy", help="an IXI folder, whose people are healthy, beside the patients")
    parser.add_argument("--exclude", help="subjects or scans to leave out, comma-separated")
    parser.add_argument("--unlabelled", action="store_true", help="masks may be absent, as in validation data")
    parser.add_argument("--headers-only", action="store_true", help="read the voxels of one patient only: seconds")
    options = parser.parse_args(argv)
    if not (options.folder or options.datalist or options.healthy):
        parser.error("name a folder, or a list with --datalist")
    return options


def has_healthy(options: argparse.Namespace) -> bool:
    """Whether healthy people are among those to be looked at."""
    from common.cohorts.volume_cohort import is_ixi

    return bool(options.healthy or (options.folder and not options.datalist and is_ixi(options.folder)))


def scan_patients(options: argparse.Namespace) -> tuple[list[Record], list[Problem]]:
    """The sound patients with all four images, and all problems of the others."""
    from common.cohorts.loading import scan_cohort

    return scan_cohort(options.folder, options.datalist, options.exclude, not options.unlabelled)


def scan_volumes(options: argparse.Namespace) -> tuple[list[Record], list[Problem]]:
    """The sound people, and all problems of the others."""
    from common.cohorts.volume_cohort import scan_volume_cohort

    return scan_volume_cohort(
        options.folder, options.healthy, options.datalist, options.exclude, ONE_IMAGE, need_label=False
    )


def measure(records: list[Record]) -> tuple[list[CaseCost], list[Problem]]:
    """Read the patients whole, with a progress bar: what each costs the cache, and what is wrong with it."""
    from tqdm import tqdm

    from common.reports.cohort import measure_case

    costs, problems = [], []
    for record in tqdm(records, desc="Reading voxels", unit="patient", disable=not records):
        cost, found = measure_case(record)
        costs += [cost] if cost else []
        problems += found
    return costs, problems


def read_volumes(records: list[Record]) -> list[Problem]:
    """Read the images whole, with a progress bar: what is wrong with them, and which heads have no mask."""
    from tqdm import tqdm

    from common.cohorts.brain_extraction import no_brain_problem, unmasked_heads
    from common.cohorts.checks import check_voxels
    from common.cohorts.hd_bet import find_hd_bet

    problems = []
    for record in tqdm(records, desc="Reading voxels", unit="person", disable=not records):
        problems += check_voxels(record, ONE_IMAGE)
    heads = [] if find_hd_bet() else unmasked_heads(records, ONE_IMAGE)
    return [*problems, *([no_brain_problem(heads)] if heads else [])]


def tell_problems(problems: list[Problem], headers_only: bool) -> None:
    """Print what is wrong, a line each."""
    if problems:
        print(f"What is wrong: {len(problems)} problem{'s' * (len(problems) > 1)}")
        print("\n".join(f"  - {problem}" for problem in problems))
    else:
        looked_at = "headers of all patients and voxels of the first" if headers_only else "all headers and all voxels"
        print(f"What is wrong: nothing ({looked_at} were read)")


if __name__ == "__main__":
    sys.exit(main())
