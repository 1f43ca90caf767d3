"""The main jobs on phantoms: make cohorts, check them, train each bundle, evaluate on held-out patients, infer.

Every step is a command that a user can type; it is printed before it runs.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

from common.commands import ROOT, shown
from common.demonstration.jobs import Job, cohorts_of
from common.demonstration.settings import list_jobs
from common.demonstration.steps import list_steps
from common.demonstration.terminal import run_step

LOG = "demo.log"


def parse_arguments(argv: list[str] | None) -> tuple[Path, list[Job]]:
    """The folder of the results, and the jobs to do."""
    jobs = list_jobs(ROOT / "bundles")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "demo", help="where data and results go (default: demo)")
    names = [job.bundle for job in jobs]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these bundles alone")
    arguments = parser.parse_args(argv)
    folder = arguments.output.resolve()
    if folder.exists() and not folder.is_dir():
        parser.error(f"--output: {folder} is a file, not a folder")
    return folder, [job for job in jobs if job.bundle in arguments.only]


def main(argv: list[str] | None = None) -> int:
    """Run all steps; stop at the first that fails."""
    folder, jobs = parse_arguments(argv)
    for name in {*(job.bundle for job in jobs), *(cohort.name for cohort in cohorts_of(jobs)), "cache"}:
        shutil.rmtree(folder / name, ignore_errors=True)
    os.environ.setdefault("OMP_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
    os.environ["GLIOMA_CACHE_DIR"] = str(folder / "cache")

    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    log.unlink(missing_ok=True)
    begun = time.monotonic()
    for title, command in list_steps(folder, jobs):
        print(f"\n=== {title}\n$ {shlex.join(shown(command))}", flush=True)
        code = run_step(command, log)
        if code:
            print(f"\nThe demo stopped at: {title}\nThe whole output: {log}", file=sys.stderr)
            return code

    from common.demonstration.results import closing

    print(closing(folder, jobs, time.monotonic() - begun))
    return 0


if __name__ == "__main__":
    sys.exit(main())
