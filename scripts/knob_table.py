"""Write the knob tables of the bundles' documentation from the comments of their configs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.reports.knob_tables import update_document

BUNDLES = Path(__file__).resolve().parents[1] / "bundles"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, help="bundle folders (default: all of this repository)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a table is stale")
    args = parser.parse_args(argv)

    stale = False
    for bundle in args.bundles or sorted(path.parent for path in BUNDLES.glob("*/docs")):
        document = bundle / "docs" / "README.md"
        if update_document(document, bundle, check=args.check):
            stale = True
            print(f"{document}: {'stale, run make docs' if args.check else 'written'}")
    return int(stale and args.check)


if __name__ == "__main__":
    sys.exit(main())
