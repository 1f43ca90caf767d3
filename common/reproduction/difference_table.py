"""The differences between the columns as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from common.reproduction.differences import LEAK, RECIPE, SPLIT, Difference

OF_KIND = {
    LEAK: "Leak: the paper's recipe on the paper's split, less the same recipe split by patient. Five folds by patient "
    "train on 60 % of the patients; where the paper trained on more, that is part of the difference (--set folds=10: "
    "80 %).",
    SPLIT: "Split: the paper's recipe on the paper's split, less the same recipe in the folds of the bundle. Nobody is "
    "on both sides of either: this is no leak.",
    RECIPE: "Recipe: the paper's recipe less ours, both split by patient.",
}
COUNTED = {
    "patients": "Each patient counts once, also on the paper's split.",
    "samples": "Each image or slice counts as one.",
}


def lay_out_differences(differences: Sequence[Difference]) -> pd.DataFrame:
    """The differences as text in the paper's layout.

    Returns:
        Two levels of columns: the paper's, and the kind. The first column holds the rows' labels.
    """
    rows = list(dict.fromkeys(part.cell.row for part in differences))
    columns: dict[tuple[str, str], dict[str, str]] = {("", ""): {row: row for row in rows}}
    for column in dict.fromkeys(part.cell.column for part in differences):
        for part in differences:
            if part.cell.column == column:
                columns.setdefault((column, part.kind), {})[part.cell.row] = str(part)
    return pd.DataFrame({key: [column.get(row, "") for row in rows] for key, column in columns.items()})


def how_to_read(differences: Sequence[Difference], repeats: int) -> list[str]:
    """What the differences are, and what they are not.

    Args:
        differences: of its columns.
        repeats: how often each network was trained.

    Returns:
        Sentences; none without a difference.
    """
    kinds = {difference.kind for difference in differences}
    told = [OF_KIND[kind] for kind in OF_KIND if kind in kinds]
    if any(part.paired is not None for part in differences):
        told.append("Paired: over the patients whom both columns judge, each drawn with both answers.")
    if any(part.paired is None for part in differences):
        told.append("Unpaired: the columns judge mostly different patients, and all of them are compared.")
    if differences:
        counted = {part.counted for part in differences}
        trained = "one network each" if repeats == 1 else f"{repeats} networks each, whose mean is compared"
        told += [
            COUNTED[counted.pop()] if len(counted) == 1 else "",
            f"Intervals are 95 %, bootstrap over patients, of {trained}: what another seed changes is not in them.",
        ]
    if not all(part.same_classes for part in differences):
        told.append("The recipes have other classes, so that their difference compares the answers to two questions.")
    return [sentence for sentence in told if sentence]
