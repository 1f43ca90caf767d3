"""The main job on phantoms: make a cohort, check it, train, evaluate on held-out patients, segment one.

Every step is a command that a user can type; it is printed before it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from common.commands import bundle_command, shown

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "bundles" / "glioma_segmentation"
PATIENTS, SHAPE = 20, ("96", "96", "64")
LEARNING = {
    "crop_size": "[96,96]",
    "batch_size": "8",
    "samples_per_epoch": "320",
    "epochs": "10",
    "lr_step": "6",
    "overwrite": "true",
}


def main(argv: list[str] | None = None) -> int:
    """Run all steps; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "demo", help="where data and results go (default: demo)")
    parser.add_argument("--patients", type=int, default=PATIENTS, help=f"phantom patients (default: {PATIENTS})")
    arguments = parser.parse_args(argv)
    folder = arguments.output.resolve()
    data, run = folder / "phantoms", folder / "glioma_segmentation"
    for earlier in (data, run, folder / "cache"):
        shutil.rmtree(earlier, ignore_errors=True)
    os.environ.setdefault("OMP_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
    os.environ["GLIOMA_CACHE_DIR"] = str(folder / "cache")

    begun = time.monotonic()
    for title, command in steps(data, run, arguments.patients):
        print(f"\n=== {title}\n$ {shlex.join(shown(command))}", flush=True)
        finished = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
        if finished.returncode:
            print(f"\nThe demo stopped at: {title}", file=sys.stderr)
            return finished.returncode
    print(closing(run, time.monotonic() - begun))
    return 0


def steps(data: Path, run: Path, patients: int) -> Iterator[tuple[str, list[str]]]:
    """Title and command (of the Python interpreter) of each step, told when its turn comes."""
    weights = run / "models" / "model.pt"
    common = {"dataset_dir": str(data)}
    learned = {**common, "output_dir": str(run / "eval"), "weights": str(weights)}
    cohort = ["brats2020", str(data), "--patients", str(patients), "--shape", *SHAPE]
    yield "A cohort of phantoms: generated images, no patients", ["scripts/make_phantoms.py", *cohort]
    yield "What is in it, and what tells the label without the tumour", ["scripts/check_dataset.py", str(data)]
    yield "Train on some of the patients", bundle_command(BUNDLE, "training", ["train"], {**learned, **LEARNING})
    yield "Judge on patients that were held out", bundle_command(BUNDLE, "evaluating", ["train", "evaluate"], learned)
    held_out = json.loads((run / "eval" / "split.json").read_text(encoding="utf-8"))["test"][0]
    patient = data / "MICCAI_BraTS2020_TrainingData" / held_out
    applied = {"dataset_dir": str(patient), "checkpoint": str(weights), "output_dir": str(run / "predictions")}
    yield (
        "Segment one of those",
        bundle_command(BUNDLE, "inferring", ["inference"], {**applied, "pictures": "true"}),
    )


def closing(run: Path, seconds: float) -> str:
    """Where to look now."""
    return f"""
=== Done in {seconds / 60:.1f} minutes. The numbers are a phantom's, not a patient's. Look at
  report        {run / "eval" / "report.html"}
  tables        {run / "eval" / "predictions.csv"}
  segmentation  {run / "predictions"} (label map, picture, volumes)
  curves        tensorboard --logdir {run / "eval" / "tensorboard"}"""


if __name__ == "__main__":
    sys.exit(main())
