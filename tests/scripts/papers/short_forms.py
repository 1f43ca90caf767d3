"""The short form of each table of the papers: small phantoms, small networks, an epoch of a few samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.phantoms.layouts.br35h import make_br35h_phantoms
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.ixi import make_ixi_phantoms
from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms
from common.reproduction.papers.catalogue import TABLES
from common.reproduction.table_plan import TASKS

Make = Callable[[str], tuple[Path, dict[str, Any]]]
"""Gives the command of a table; its folder, and what ``table.json`` holds."""

SHAPE = (40, 40, 64)
"""Of volumes high enough for P1's slices, which are 30 mm apart."""

COHORTS: Mapping[str, Callable[[Path], object]] = {
    "brats": lambda folder: make_brats_phantoms(folder, patients=12, shape=SHAPE, lgg_share=0.4),
    "ixi": lambda folder: make_ixi_phantoms(folder, people=6, shape=SHAPE, scanner="same"),
    "br35h": lambda folder: make_br35h_phantoms(folder, originals=8, copies=1, side=100),
    "rsna": lambda folder: make_rsna_phantoms(folder, patients=10, shape=(32, 32, 16)),
}


@dataclass(frozen=True)
class ShortForm:
    """What a table's command gets besides its name.

    Args:
        cohort: whose folder is the data set.
        knobs: set in all its commands.
        task: of P1, where one is enough.
        columns: likewise of the three.
        repeats: splits of each network, where it is not the table's own number.
        rows: where some are enough: they differ in a knob alone.
        healthy: the cohort of healthy people.
        blank: rows and columns that may be empty: their class has no case on the test side, or was never predicted.
        runs: a table with the same runs, whose folder it continues.
    """

    cohort: str
    knobs: tuple[str, ...] = ()
    task: str = "both"
    columns: tuple[str, ...] = ("paper",)
    repeats: int | None = None
    rows: tuple[str, ...] = ()
    healthy: str = ""
    blank: tuple[str, ...] = ()
    runs: str = ""


QUICK = ("epochs=1", "pretrained=false", "num_workers=0", "batch_size=8")
SLICES = (*QUICK, "trainable=all", "samples_per_epoch=8", "image_size=[32,32]")
PICTURES = (*QUICK, "trainable=all", "image_size=[32,32]", "filters=2", "units=[4]")
MASKS = (*QUICK, "samples_per_epoch=16", "image_size=[32,32]")
LEAST_OF_INCEPTION = "image_size=[75,75]"
WHOLE_SLICES = ("slice_size=[32,32]", "crop_size=[32,32]")
PRECISIONS = ("precision LGG", "precision HGG", "precision healthy")
VOLUMES = ("epochs=1", "num_workers=0", "volume_size=[16,16,16]", "volume_spacing=4")

SHORT_FORMS: Mapping[str, ShortForm] = {
    "p1-table1": ShortForm("brats"),
    "p1-table2": ShortForm(
        "brats", (*SLICES[:-1], LEAST_OF_INCEPTION), "grade", rows=("grade/vgg16", "grade/inception_v3")
    ),
    "p1-table3": ShortForm("brats", SLICES, "grade"),
    "p1-table4": ShortForm("brats", SLICES, "grade", repeats=1, rows=("grade/90", "grade/50")),
    "p1-table5": ShortForm("brats", SLICES),
    "p1-table6": ShortForm("brats", SLICES, blank=("short", "long")),
    "p2-table1": ShortForm("br35h", PICTURES, repeats=2, blank=("Fold 3",)),
    "p2-table2": ShortForm("br35h", PICTURES, repeats=2, runs="p2-table1"),
    "p3-table1": ShortForm("brats", (*QUICK, *WHOLE_SLICES, "samples_per_epoch=16")),
    "p3-table2": ShortForm("brats", MASKS),
    "p3-table3": ShortForm("brats", (*MASKS, *WHOLE_SLICES), columns=("ours",), blank=("0 (short)", "2 (long)")),
    "p4-table1": ShortForm("brats", VOLUMES, repeats=1, healthy="ixi", blank=PRECISIONS),
    "p5": ShortForm("rsna", (*QUICK, "image_size=[32,32]", "slices_per_patient=6")),
}
"""Of every table in :data:`TABLES`."""


def of_paper(paper: str) -> list[str]:
    """The tables of ``P1``, …"""
    return [name for name, make in TABLES.items() if make(TASKS).source.startswith(f"{paper},")]
