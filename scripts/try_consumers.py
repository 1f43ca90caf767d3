"""Try each bundle wherever a MONAI bundle works, on phantoms, and print the table of what came out.

Trained for seconds and packaged, a bundle is tried as a folder alone, unzipped elsewhere, by the model zoo's checks,
in MONAI Label and MONAI Deploy (where their environments are), by monai.bundle.load and by MonaiAlgo. The numbers must
be those of this repository's commands: the same voxels, probabilities to 1e-4.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APPLICATIONS = {
    "Label infer": ("monai_label", "LABEL_VENV", ".venv-label", "make test-label"),
    "Deploy": ("monai_deploy", "DEPLOY_VENV", ".venv-deploy", "make test-deploy"),
}
"""Folder in ``apps``, variable and default of the environment's place, and the command that makes it."""


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = sorted(path.parent.name for path in ROOT.glob("bundles/*/configs"))
    parser.add_argument("bundles", nargs="*", help="names of bundles (default: all)")
    parser.add_argument("--output", type=Path, default=ROOT / "consumers", help="replaced (default: %(default)s)")
    parser.add_argument("--zoo", type=Path, help="ci/verify_bundle.py of a clone of Project-MONAI/model-zoo")
    schema = os.environ.get("GLIOMA_SCHEMA")
    parser.add_argument("--schema", type=Path, default=schema, help="MONAI's schema of metadata, or its folder")
    parser.add_argument("--weights", type=Path, help="of one bundle, in place of a training")
    parser.add_argument("--workers", type=int, default=2, help="bundles at a time (default: %(default)s)")
    parser.add_argument("--skip-applications", action="store_true", help="leave MONAI Label and MONAI Deploy out")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.bundles) - set(known):
        parser.error(f"there is no bundle {', '.join(sorted(unknown))}: choose from {', '.join(known)}")
    arguments.bundles = arguments.bundles or known
    if arguments.weights and len(arguments.bundles) != 1:
        parser.error("--weights are of one bundle: name it")
    for option in ("zoo", "schema", "weights"):
        path = getattr(arguments, option)
        if path and not Path(path).exists():
            parser.error(f"--{option}: {path} does not exist")
    if arguments.output.exists() and not arguments.output.is_dir():
        parser.error(f"--output: {arguments.output} is a file, not a folder")
    return arguments


def make_phantoms(bundles: list[str], folder: Path) -> None:
    """The cohorts that these bundles are tried on."""
    from common.packaging.consumers import COHORTS, cohort_of

    for cohort in dict.fromkeys(map(cohort_of, bundles)):
        layout, *options = COHORTS[cohort]
        command = [sys.executable, "scripts/make_phantoms.py", layout, str(folder / cohort), *options]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    from common.packaging.consumers import BareEnvironment, as_markdown, is_green, trial_of, try_bundle
    from common.packaging.consumers.applications import application_cells

    output = arguments.output.resolve()
    for part in ("phantoms", "bundles"):
        shutil.rmtree(output / part, ignore_errors=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["GLIOMA_CACHE_DIR"] = str(output / "cache")
    names = arguments.bundles
    make_phantoms(names, output / "phantoms")
    bare = BareEnvironment(output / "environment")
    given = (arguments.zoo and arguments.zoo.resolve(), arguments.schema, arguments.weights)

    def try_one(name: str) -> dict[str, str]:
        trial = trial_of(ROOT / "bundles" / name, output / "phantoms")
        row = try_bundle(trial, output / "bundles" / name, bare, *given)
        print("; ".join([name, *(f"{cell}: {told.splitlines()[0]}" for cell, told in row.items())]), flush=True)
        return row

    with ThreadPoolExecutor(max(arguments.workers, 1)) as pool:
        rows = dict(zip(names, pool.map(try_one, names), strict=True))
    hints = []
    for column, (application, variable, default, remedy) in APPLICATIONS.items():
        python = Path(os.environ.get(variable, default)).absolute() / "bin" / "python"
        if arguments.skip_applications or not python.exists():
            hints.append(f"{column} was not tried: {remedy} makes its environment ({variable} names the folder).")
            continue
        tests = ROOT / "apps" / application / "tests"
        for name, told in application_cells(python, tests, names, output / f"{application}.xml").items():
            rows[name][column] = told
    print("\n".join(["", as_markdown(rows), "", *hints]))
    return 0 if is_green(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
