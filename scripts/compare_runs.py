"""Evaluated runs side by side, for example a recipe on the paper's split and on a split by patient."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Write the comparison as a page and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders (output_dir) that were evaluated")
    parser.add_argument("--output", type=Path, default=Path("comparison.html"), help="page to write")
    arguments = parser.parse_args(argv)
    from common.commands import announce
    from common.errors import GliomaError
    from common.reports.run_folders import only_task, read_metrics

    try:
        only_task(read_metrics(arguments.runs))
        announce("Comparing")
        from common.reports.comparison import compare_runs, write_comparison

        table = compare_runs(arguments.runs)
        write_comparison(arguments.output, table, arguments.runs)
    except GliomaError as error:
        print(f"{type(error).__name__}: {error.summary()}", file=sys.stderr)
        return 1
    print(table.to_string(index=False))
    print(f"\n{arguments.output.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
