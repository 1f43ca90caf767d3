"""Cross-validate a bundle: train and judge a network on every fold, and show what they reach together.

python scripts/crossval.py glioma_grade_classification --dataset_dir <BraTS 2020> --output runs/grade
python scripts/crossval.py glioma_survival_classification --config train_masks --dataset_dir <BraTS 2020>

kfold: every patient is tested once, by a network that was not trained on it. montecarlo: repeated random splits.

Each network is trained and judged by the bundle's own commands (--dry_run prints them). To continue a command that was
interrupted, give it again. The results are in <output>/table.html, table.csv, table.json and predictions.csv.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.crossvalidation.options import Options

ROOT = Path(__file__).resolve().parents[1]
BUNDLES = sorted(path.parents[1].name for path in ROOT.glob("bundles/*/configs/train.yaml"))

GIVEN = ("scheme", "folds", "config", "recipe", "split_by", "inner_folds", "device")


def main(argv: list[str] | None = None) -> int:
    """Cross-validate the bundle that the command line names; the exit code is 1 where a fold failed."""
    arguments = parse_arguments(argv)
    from common.crossvalidation.options import check_options
    from common.errors import GliomaError

    try:
        options = read_options(arguments)
        check_options(options)
        if arguments.dry_run:
            return print_commands(options)
        refuse_absent(options)
        return make(options)
    except GliomaError as error:
        print(f"{type(error).__name__}: {error.summary()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command continues from here.", file=sys.stderr)
        return 130


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", choices=BUNDLES, metavar="bundle", help=", ".join(BUNDLES))
    parser.add_argument("--dataset_dir", type=Path, help="data set as downloaded")
    parser.add_argument("--datalist", type=Path, help="JSON or CSV of your own cases, in place of --dataset_dir")
    parser.add_argument("--healthy_dir", type=Path, help="healthy people, for the bundle that learns from some")
    parser.add_argument("--output", type=Path, help="folder of the folds and the results (default: runs/<bundle>)")
    parser.add_argument("--scheme", choices=("kfold", "montecarlo"), default="kfold", help="(default: kfold)")
    parser.add_argument("--folds", type=int, default=5, help="folds, or repeats of montecarlo (default: 5)")
    parser.add_argument("--config", default="train", help="of the training, such as train_masks (default: train)")
    parser.add_argument("--recipe", choices=("ours", "paper"), default="ours", help="(default: ours)")
    parser.add_argument(
        "--split_by",
        choices=("patient", "paper"),
        default="patient",
        help="what is split: patients, or what the paper split (default: patient)",
    )
    parser.add_argument(
        *("--set", "-s"),
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="a knob of the bundle, such as epochs=1; may be repeated",
    )
    parser.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="KNOB=A,B,...",
        help="values of a knob, of which the best is chosen in each fold without its test side; may be repeated",
    )
    parser.add_argument(
        "--inner_folds",
        type=int,
        default=1,
        help="folds that judge each candidate in turn (default: 1, the one that validates)",
    )
    parser.add_argument("--device", help="where to compute (default: the GPU if there is one)")
    parser.add_argument("--dry_run", action="store_true", help="print the commands and do nothing")
    return parser.parse_args(argv)


def read_options(arguments: argparse.Namespace) -> Options:
    """What the command line asks for; paths become absolute, since every command names them."""
    from common.crossvalidation.options import DATA, Options
    from common.runs.settings import read_choices, read_settings

    given = {knob: getattr(arguments, knob) for knob in DATA}
    return Options(
        bundle=ROOT / "bundles" / arguments.bundle,
        output=(arguments.output or Path("runs") / arguments.bundle).absolute(),
        data={knob: path.absolute() for knob, path in given.items() if path},
        **{name: getattr(arguments, name) for name in GIVEN},
        settings=read_settings(arguments.set),
        search=read_choices(arguments.search),
    )


def refuse_absent(options: Options) -> None:
    """Tell what is not there, before anything is imported that takes seconds.

    Raises:
        DatasetError: the first of them.
    """
    from common.formats.folders import require_folder, require_list

    for knob, path in options.data.items():
        require_list(path) if knob == "datalist" else require_folder(path)


def print_commands(options: Options) -> int:
    """The commands of all folds, in their order."""
    from common.crossvalidation.plan import plan_folds
    from common.crossvalidation.search import plan_candidates

    planned = [plan_candidates(options, inner) for inner in range(options.inner_folds)] if options.search else []
    for run in [run for runs in planned for run in runs] or plan_folds(options):
        print(f"# {run.name}", *run.commands, sep="\n")
    for fold in range(options.folds) if options.search else ():
        print(f"# fold-{fold}: the best candidate, judged on the test side when the others are done")
    return 0


def make(options: Options) -> int:
    """Run, write, and print what failed."""
    from common.commands import announce

    announce("Planning the folds")
    from common.crossvalidation.command import cross_validate
    from common.runs.processes import FAILED

    outcomes = cross_validate(options)
    for outcome in outcomes:
        if outcome.state == FAILED:
            print(f"\n{outcome.failure}", file=sys.stderr)
    page = options.output / "table.html"
    if page.is_file():
        print(f"\n{page}")
    return int(any(outcome.state == FAILED for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
