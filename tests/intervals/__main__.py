"""Do the intervals and tests of the reports keep what they promise? ``make coverage``; about ten minutes on two cores.

A thousand simulated cohorts a setting; where one takes long, fewer, and the table says so. Interrupted, it goes on
where it was, unless the code has changed. It writes the tables of docs/statistics.md; with fewer --cohorts it only
prints them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "statistics.md"
COHORTS = 1000


def main() -> int:
    """Ask every study and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=COHORTS, help=f"a setting (default {COHORTS})")
    parser.add_argument("--seed", type=int, default=0, help="of the cohorts (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "coverage", help="answers, to go on from")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    from common.files import stable_hash
    from common.reports.marked_parts import write_parts
    from common.vendored import stamp_of
    from tests.intervals.studies import list_studies
    from tests.intervals.tables import TABLES, write_table

    code = [
        *(stamp_of(ROOT / "common" / part) for part in ("metrics", "shortcuts")),
        *(Path(__file__).with_name(name).read_text() for name in ("cohorts.py", "studies.py")),
    ]
    folder = arguments.output / f"{stable_hash(code)[:12]}-{arguments.seed}-{arguments.cohorts}"
    folder.mkdir(parents=True, exist_ok=True)
    studies = list_studies()
    files = {study.name: folder / f"{place:03d}.json" for place, study in enumerate(studies)}
    open_ones = [place for place, study in enumerate(studies) if not files[study.name].is_file()]
    with ProcessPoolExecutor(arguments.workers) as pool:
        work = [pool.submit(ask, place, arguments.cohorts, arguments.seed, str(folder)) for place in open_ones]
        for done, finished in enumerate(as_completed(work), 1):
            print(f"{done} of {len(open_ones)}: {finished.result()}", flush=True)
    answers = {name: json.loads(path.read_text()) for name, path in files.items()}
    tables = {kind: write_table(kind, studies, answers) for kind in TABLES}
    if arguments.cohorts == COHORTS:
        write_parts(DOCUMENT, "coverage", tables.__getitem__)
        print(f"{DOCUMENT}: written")
    else:
        print("\n\n".join(tables.values()))
    return 0


def ask(place: int, cohorts: int, seed: int, folder: str) -> str:
    """All cohorts of a study; the answers are written when they are complete.

    Args:
        place: of the study in the list.
        cohorts: how many, but for a study of fewer.
        seed: of the cohorts.
        folder: for the answers.
    """
    from common.files import write_json
    from tests.intervals.studies import list_studies

    study = list_studies()[place]
    write_json(Path(folder) / f"{place:03d}.json", study.answer(cohorts, seed))
    return study.name


if __name__ == "__main__":
    sys.exit(main())
