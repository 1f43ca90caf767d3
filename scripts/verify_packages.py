"""Check packages as the model zoo does, and that they are as they were made."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", type=Path, help="folders or zips of packages (default: all in dist)")
    schema = os.environ.get("GLIOMA_SCHEMA")
    parser.add_argument(
        "--schema",
        type=Path,
        default=Path(schema) if schema else None,
        help="MONAI's schema of metadata, or its folder (default: GLIOMA_SCHEMA; without it, metadata are left out)",
    )
    args = parser.parse_args(argv)

    from common.packaging import verify_package

    packages = args.packages or sorted(path.parent for path in Path("dist").glob("*/manifest.json"))
    if not packages:
        parser.error("there is no package in dist: make package first")
    for package in packages:
        print(f"{package}: {'; '.join(verify_package(package, args.schema))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
