#!/usr/bin/env python
"""Show what a data set holds, what is wrong with it, which shortcuts predict the label, and the size of its cache.

The kind of data set is recognised from the folder or the list. For images, copies of each other are searched as well.
With --healthy, or for an IXI folder, one image of each person is checked (T1ce, of IXI T1); heads need brain masks.
The exit code is 1 when something is wrong. Only the files of --output are written, in the cache which images are
copies, and a list of problems that is too long to show.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.reports.checkups.volumes import Checkup, Request

PEOPLE = "people"


def main(argv: list[str] | None = None) -> int:
    """Check the data set that the command line names."""
    options = parse_options(argv)
    from common.commands import announce
    from common.files import user_path
    from common.formats.folders import require_folder, require_list

    # Told before anything is imported that takes seconds.
    if options.folder:
        require_folder(user_path(options.folder))
    if options.healthy:
        require_folder(user_path(options.healthy))
    if options.datalist:
        require_list(user_path(options.datalist))
    kind = find_kind(options)
    announce("Importing torch and MONAI")
    from common.reports.checkups.volumes import Request

    request = Request(**vars(options))
    checkup = check(request, kind)
    print(checkup.text(request.places))
    return 1 if checkup.problems else 0


def parse_options(argv: list[str] | None) -> argparse.Namespace:
    """The command line; it must name a folder or a list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder",
        nargs="?",
        help="a folder as downloaded: BraTS 2018 to 2021, 2023, 2024, or HDF5 slices; UPENN-GBM; Decathlon; IXI; "
        "RSNA-MICCAI; Br35H, or any folder with one subfolder of images per class; what else it holds is named",
    )
    parser.add_argument(
        "--datalist",
        help="a JSON or CSV list of patients with volumes or series, or of images, instead of the folder",
    )
    parser.add_argument("--healthy", help="an IXI folder, whose people are healthy, beside the patients")
    parser.add_argument("--exclude", help="subjects, scans or images to leave out, comma-separated")
    parser.add_argument("--unlabelled", action="store_true", help="masks and labels may be absent")
    parser.add_argument(
        "--cavity",
        choices=("refuse", "background", "region"),
        default="refuse",
        help="what a resection cavity in the masks (BraTS 2024) shall be, as for segmentation (default: %(default)s)",
    )
    parser.add_argument(
        "--headers-only",
        action="store_true",
        help="read the voxels of one patient only (seconds); for images, do not search copies",
    )
    parser.add_argument("--output", help="for images: a folder for the contact sheet and the table of copies")
    options = parser.parse_args(argv)
    if not (options.folder or options.datalist or options.healthy):
        parser.error("name a folder, or a list with --datalist")
    return options


def find_kind(options: argparse.Namespace) -> str:
    """What the data set is of: ``people`` some of whom are healthy, or the value of a kind of cohort.

    Raises:
        DatasetError: the folder or the list is no data set that is known.
        KnobError: pictures are asked for where there are none.
    """
    from common.cohorts.datasets.data_set import Kind
    from common.cohorts.datasets.registry import find_data_set
    from common.cohorts.list_kind import find_list_kind
    from common.cohorts.reading import scan_cohort
    from common.errors import KnobError, Problem

    found = find_data_set(options.folder) if options.folder and not options.datalist else None
    of_list = {"images": Kind.IMAGES, "series": Kind.SERIES}
    kind = found.kind if found else Kind.VOLUMES
    if options.datalist:
        kind = of_list.get(find_list_kind(options.datalist), Kind.VOLUMES)
    if options.output and kind is not Kind.IMAGES:
        raise KnobError(Problem("there are copies to draw of single images alone", "--output", "Leave it out."))
    if options.healthy or (found and found.healthy):
        return PEOPLE
    if kind is Kind.VOLUMES and not found:  # a folder or a list that nobody can read is told before torch is imported
        scan_cohort(options.folder, options.datalist, options.exclude, need_seg=False, cavity=options.cavity)
    return kind.value


def check(request: Request, kind: str) -> Checkup:
    """The check for a kind of data set, which :func:`find_kind` tells."""
    from common.cohorts.datasets.data_set import Kind
    from common.reports.checkups.images import check_images
    from common.reports.checkups.series import check_series
    from common.reports.checkups.volumes import check_patients, check_people

    checks = {PEOPLE: check_people, Kind.SERIES.value: check_series, Kind.IMAGES.value: check_images}
    return checks.get(kind, check_patients)(request)


if __name__ == "__main__":
    sys.exit(main())
