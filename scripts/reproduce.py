"""Make a table or a figure of P1 to P5: train and evaluate every network of it, and show ours beside what is printed.

python scripts/reproduce.py p1-table2 --dataset_dir <BraTS 2020> --output runs/p1-table2
python scripts/reproduce.py --list

Three columns, each with networks of its own: the paper's recipe on the paper's split, the same recipe split by patient,
and our recipe split by patient. The first two differ by what the split leaks, the last two by their recipes.

Each network is trained and judged by the bundles' own commands (--dry_run prints them). To continue a command that was
interrupted, give it again. The table is in <output>/table.html, table.csv and table.json, each of its figures on the
page and in a PNG file. A figure is drawn from the runs of its table: asked for by its name, only those that it needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from common.reproduction.options import Options
    from common.reproduction.table_plan import PaperTable

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ("paper", "paper_by_patient", "ours")


def main(argv: list[str] | None = None) -> int:
    """Make the table that the command line names; the exit code is 1 where a run of it failed."""
    arguments = parse_arguments(argv)
    from common.errors import GliomaError
    from common.reproduction.papers.catalogue import find_figure, find_table

    try:
        table = find_table(arguments.table, arguments.task)
        options, figure = read_options(arguments, table), find_figure(arguments.table, table)
        rows = arguments.rows or (list(figure.models.values()) if figure else None)
        if arguments.dry_run:
            return print_commands(table, options, rows)
        refuse_absent(options)
        return make(table, options, rows)
    except GliomaError as error:
        print(f"{type(error).__name__}: {error.summary()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command continues from here.", file=sys.stderr)
        return 130


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    from common.reproduction.papers.catalogue import TABLES, tables_of_figures

    names = [*TABLES, *tables_of_figures()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=names, metavar="table", help="table or figure; --list names them")
    parser.add_argument("--list", action=ListPapers, nargs=0, help="name every table and every figure, and do nothing")
    parser.add_argument(
        "--dataset_dir", type=Path, required=True, help="data set as downloaded: BraTS, P2 Br35H, P5 RSNA-MICCAI"
    )
    parser.add_argument(
        "--healthy_dir", type=Path, help="healthy people for p4-table1 and P4's figures: IXI as downloaded"
    )
    parser.add_argument("--output", type=Path, help="folder of the runs and the table (default: runs/<table>)")
    parser.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS, help="(default: all three)")
    parser.add_argument(
        "--permute_labels",
        action="store_true",
        help="one more column: the paper's recipe and split on shuffled labels, which memory alone can predict",
    )
    parser.add_argument("--task", choices=("grade", "survival", "both"), default="both", help="(default: both)")
    parser.add_argument("--repeats", type=int, help="splits of each network (default: 1; p1-table4: 10; p2, p4: 3)")
    parser.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="run only these, such as grade/vgg16")
    parser.add_argument(
        *("--set", "-s"),
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="a knob for every command whose config has it, such as epochs=1; may be repeated",
    )
    parser.add_argument("--pretrained_dir", type=Path, help="folder with one file of pre-trained weights per backbone")
    parser.add_argument("--segmentation", type=Path, help="weights of the segmentation bundle (p3-table3)")
    parser.add_argument("--device", help="where to compute (default: the GPU if there is one)")
    parser.add_argument("--dry_run", action="store_true", help="print the commands and do nothing")
    return parser.parse_args(argv)


class ListPapers(argparse.Action):
    """Prints the list and ends the command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print a line for each table and each figure."""
        from common.reproduction.papers.catalogue import list_papers

        for line in list_papers():
            made = f" (with {line.table})" if line.table else ""
            print(f"{line.name or '-':<12} {line.paper + ', ' + line.source:<26} {line.told}{made}")
        parser.exit()


def read_options(arguments: argparse.Namespace, table: PaperTable) -> Options:
    """What the command line asks for; paths become absolute, since every command names them."""
    from common.reproduction import table_plan
    from common.reproduction.options import Options
    from common.runs.settings import read_settings

    chosen = [column for column in table_plan.COLUMNS if column.name in arguments.columns]
    return Options(
        dataset_dir=arguments.dataset_dir.absolute(),
        output=(arguments.output or Path("runs") / table.name).absolute(),
        bundles=ROOT / "bundles",
        columns=(*chosen, *([table_plan.PERMUTED] if arguments.permute_labels else [])),
        repeats=arguments.repeats,
        settings=read_settings(arguments.set),
        pretrained_dir=arguments.pretrained_dir and arguments.pretrained_dir.absolute(),
        segmentation=arguments.segmentation and arguments.segmentation.absolute(),
        device=arguments.device,
        healthy_dir=arguments.healthy_dir and arguments.healthy_dir.absolute(),
    )


def refuse_absent(options: Options) -> None:
    """Tell which folders are not there, before anything is imported that takes seconds.

    Raises:
        DatasetError: the first of them.
    """
    from common.formats.folders import require_folder

    for folder in (options.dataset_dir, options.healthy_dir, options.pretrained_dir):
        if folder:
            require_folder(folder)


def print_commands(table: PaperTable, options: Options, rows: list[str] | None) -> int:
    """The commands of the table's runs, in their order; of those models alone that ``rows`` names."""
    from common.reproduction.options import check_rows
    from common.reproduction.recipes import plan_table

    check_rows(table, rows or ())
    for run in plan_table(table, options):
        if rows is not None and run.model.name not in rows:
            continue
        print(f"# {run.name}", *run.commands, sep="\n")
    for search in table.searches if rows is None else ():
        print(f"# {search.start.name}: the best option of every factor, trained and judged when the others are done")
    return 0


def make(table: PaperTable, options: Options, rows: list[str] | None) -> int:
    """Run, write, and print what failed.

    Args:
        table: to make.
        options: on what and how.
        rows: names of the models to run; ``None`` for all.
    """
    from common.commands import announce

    announce("Planning the runs")
    from common.reproduction.command import reproduce
    from common.runs.processes import FAILED

    failed = [outcome for outcome in reproduce(table, options, rows) if outcome.state == FAILED]
    for outcome in failed:
        print(f"\n{outcome.failure}", file=sys.stderr)
    print(f"\n{options.output / 'table.html'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
