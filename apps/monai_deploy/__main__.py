"""Apply a bundle to a DICOM study and write the result as a DICOM SEG object or a structured report.

python apps/monai_deploy --input <folder of a study> --output <folder> --model <folder of a bundle>
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

RULES = Path(__file__).with_name("series_rules.json")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; the first three fall back on the variables that a MAP's container sets."""
    parser = argparse.ArgumentParser(prog="monai_deploy", description=__doc__)
    folders = {
        "input": "folder that holds one DICOM study",
        "output": "folder for the result",
        "model": "folder of a bundle with its weights",
    }
    for letter, (name, meaning) in zip("iom", folders.items(), strict=True):
        variable = f"HOLOSCAN_{name.upper()}_PATH"
        value = os.environ.get(variable)
        meaning += f" (default: ${variable})"
        parser.add_argument(f"-{letter}", f"--{name}", type=Path, default=value, required=value is None, help=meaning)
    parser.add_argument(
        "--rules", type=Path, default=RULES, help="which series is which modality (default: %(default)s)"
    )
    parser.add_argument(
        "--series", default="t1ce", help="which series a bundle for single slices reads (default: %(default)s)"
    )
    parser.add_argument("--age", help="years")
    parser.add_argument("--resection", help="GTR or STR")
    parser.add_argument("--clinical", type=Path, help='JSON file such as {"age": 61, "resection": "GTR"}')
    parser.add_argument("--age-from-header", action="store_true", help="take the age from the study")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the application."""
    arguments = parse_arguments(argv)
    from app import run

    from common.errors import find_glioma_error

    try:
        print(f"Written: {run(arguments)}")
    except Exception as error:
        ours = find_glioma_error(error)
        if ours is None:
            raise
        print(f"{type(ours).__name__}: {ours}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
