#!/usr/bin/env python
"""Tell which patients, scans and pictures stand on two sides of a split, anybody's: no bundle is needed.

The split is nnU-Net's splits_final.json, a datalist of MONAI or Decathlon (also with folds), a split.json, a CSV table
with a column for the side or the fold, or a folder that holds train/ val/ test/, Training/ Testing/, imagesTr/
imagesTs/, or lists such as train.txt and val.txt.
Cases are compared by id, by patient, by the bytes and the voxels of their files, and pictures by what they show, so
that rotated, resized and re-encoded copies are found.
The exit code is 1 when the split leaks, 0 when no leak was found, 2 when the check could not be made.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Check the split that the command line names; no failure ends with 1, which says that the split leaks."""
    options = parse_options(argv)
    try:
        from common.errors import GliomaError

        try:
            return check(options)
        except GliomaError as error:
            print(f"{type(error).__name__}: {error.summary()}", file=sys.stderr)
    except Exception:
        traceback.print_exc()
    return 2


def parse_options(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split", type=Path, help="a .json or .csv file, or a folder")
    parser.add_argument(
        "--images", type=Path, help="the folder that the list's paths start at, or that holds its ids' files"
    )
    parser.add_argument("--side_column", help="of a table, the column that names the side or the fold")
    parser.add_argument(
        "--subject_pattern",
        help=r"a regular expression that finds the patient in a name, such as '(?P<subject>BraTS-GLI-\d+)-\d+' or "
        r"'genius_\d+'; names of BraTS, BIDS, TCGA and the like are known without it",
    )
    parser.add_argument("--ids_only", action="store_true", help="compare ids and patients, read no image")
    parser.add_argument("--output", type=Path, help="a folder for the page with the pairs, and their table")
    return parser.parse_args(argv)


def refuse_absent(options: argparse.Namespace) -> None:
    """Tell what is not there, and what is no pattern, before anything is imported that takes seconds.

    Raises:
        GliomaError: all of it.
    """
    from common.errors import DatasetError, Problem

    problems = [
        Problem("there is no such file or folder", str(path), "Check the path.")
        for path in (options.split, options.images)
        if path and not path.exists()
    ]
    if options.output and options.output.exists() and not options.output.is_dir():
        problems.append(Problem("is a file, not a folder", str(options.output), "Choose another --output."))
    try:
        re.compile(options.subject_pattern or "")
    except re.error as error:
        problems.append(Problem(f"is no regular expression ({error})", "--subject_pattern", "Try it with Python's re."))
    if problems:
        raise DatasetError(problems)


def check(options: argparse.Namespace) -> int:
    """Print what is found; returns the exit code.

    Raises:
        GliomaError: the split or its images cannot be read.
    """
    from common.commands import announce

    refuse_absent(options)
    announce("Reading the split")
    from common.audit.readers.reading import Source, read_split

    source = Source(options.split, options.images, options.side_column, options.ids_only)
    split = read_split(source)
    announce(f"Comparing {'ids' if options.ids_only else 'ids and images'}")
    from common.audit.comparison import audit_split
    from common.audit.summary import describe

    audit = audit_split(split, options.subject_pattern, options.ids_only)
    print(describe(audit))
    if options.output:
        from common.audit.page import write_audit

        print(*write_audit(audit, options.output), sep="\n")
    return 1 if audit.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
