"""Differences whose intervals can be worked out by hand: of shares over independent patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.files import write_json
from common.reproduction.difference_table import how_to_read, lay_out_differences
from common.reproduction.differences import Difference, list_differences
from common.reproduction.evaluation import Evaluation
from common.reproduction.papers.catalogue import find_table
from common.reproduction.table_plan import Cell

CLASSES = ("none", "tumour")
TABLE = find_table("p5")
ACCURACY = Cell("row", "accuracy", "net", "accuracy", None, "patients")
HUNDRED = [f"p{number:03d}" for number in range(100)]


def rows_of(right: Mapping[str, bool], **columns: Sequence[str]) -> pd.DataFrame:
    """A row per subject, all of them without a tumour: predicted so where it is right."""
    rows = pd.DataFrame({"subject": list(right), "truth": "none", **columns})
    rows["predicted"] = ["none" if hit else "tumour" for hit in right.values()]
    return rows.assign(voted=rows["predicted"], p_none=[0.9 if hit else 0.1 for hit in right.values()]).assign(
        p_tumour=lambda found: 1 - found["p_none"]
    )


def leave(folder: Path, rows: pd.DataFrame, repeat: int = 0, samples: pd.DataFrame | None = None, **facts: Any) -> Any:
    folder.mkdir(parents=True)
    rows.to_csv(folder / "predictions.csv", index=False)
    if samples is not None:
        samples.to_csv(folder / "samples.csv", index=False)
    write_json(folder / "metrics.json", {"classes": CLASSES, "side": "test", **facts})
    return Evaluation(folder, repeat)


def hits(names: Sequence[str], right: int) -> dict[str, bool]:
    return {name: place < right for place, name in enumerate(names)}


def compare(first: Any, second: Any, *cells: Cell, table: Any = TABLE, **more: Any) -> list[Difference]:
    """The first two columns."""
    lists = [part if isinstance(part, list) else [part] for part in (first, second)]
    found = {("net", "paper"): lists[0], ("net", "paper_by_patient"): lists[1], **more}
    return list_differences(table, cells or [ACCURACY], found)


def interval(difference: Difference) -> tuple[float, float]:
    return float(difference.value["low"]), float(difference.value["high"])


def test_patients_whom_both_judge_are_drawn_with_both_answers(tmp_path: Path) -> None:
    """60 against 50 of the same 100, ten of whom differ: Binomial(100, .1) has its middle 95 % in 5 to 16."""
    first, second = (leave(tmp_path / str(right), rows_of(hits(HUNDRED, right))) for right in (60, 50))
    (leak,) = compare(first, second)
    assert (leak.kind, leak.first, leak.second) == ("leak", pytest.approx(0.6), pytest.approx(0.5))
    assert (leak.value["mean"], leak.value["n"], leak.paired) == (pytest.approx(0.1), 100, 100)
    assert interval(leak) == (pytest.approx(0.05, abs=0.011), pytest.approx(0.16, abs=0.011))
    assert str(leak).startswith("+0.100 (+0.0")
    assert str(leak).endswith("), 100 paired")


def test_two_columns_that_agree_differ_by_nothing_where_the_patients_are_the_same(tmp_path: Path) -> None:
    first, second = (leave(tmp_path / name, rows_of(hits(HUNDRED, 50))) for name in "ab")
    (leak,) = compare(first, second)
    assert (leak.value["mean"], *interval(leak)) == (0, 0, 0)


def test_other_patients_are_drawn_on_their_own(tmp_path: Path) -> None:
    """.6 and .5 of 100 and 100 others: the deviation is the root of .24/100 + .25/100, .07."""
    others = [f"q{number:03d}" for number in range(100)]
    first = leave(tmp_path / "a", rows_of(hits(HUNDRED, 60)))
    second = leave(tmp_path / "b", rows_of(hits(others, 50)))
    (leak,) = compare(first, second)
    assert (leak.value["mean"], leak.value["n"], leak.paired) == (pytest.approx(0.1), 200, None)
    assert interval(leak) == (pytest.approx(0.1 - 0.137, abs=0.02), pytest.approx(0.1 + 0.137, abs=0.02))
    assert str(leak).endswith("), unpaired")


@pytest.mark.parametrize(("shared", "paired", "mean"), [(10, 10, 1.0), (9, None, 0.9)])
def test_only_whom_both_judge_are_compared_where_they_are_half_of_the_smaller_side(
    tmp_path: Path, shared: int, paired: int | None, mean: float
) -> None:
    """The first is right in all of 100, the second in none that they share; of nine, it is right in two others."""
    names = [*HUNDRED[:shared], *(f"q{number}" for number in range(20 - shared))]
    right = {name: (paired is not None and name.startswith("q")) or name in ("q0", "q1") for name in names}
    first = leave(tmp_path / "a", rows_of(hits(HUNDRED, 100)))
    (leak,) = compare(first, leave(tmp_path / "b", rows_of(right)))
    assert (leak.paired, leak.value["mean"]) == (paired, pytest.approx(mean))


def test_images_of_a_group_of_copies_are_drawn_together(tmp_path: Path) -> None:
    """P2: in its split an image is a subject; ten groups of ten, five of which differ: Binomial(10, .5) / 10."""
    group_of = [f"g{number // 10}" for number in range(100)]
    apart = leave(tmp_path / "a", rows_of(hits(HUNDRED, 100)))
    together = leave(tmp_path / "b", rows_of(hits(HUNDRED, 50)).assign(subject=group_of, scan=HUNDRED))
    (leak,) = compare(apart, together, replace(ACCURACY, unit="samples"))
    assert (leak.value["mean"], leak.paired, leak.value["n"]) == (pytest.approx(0.5), 10, 10)
    assert interval(leak) == (pytest.approx(0.2, abs=0.05), pytest.approx(0.8, abs=0.05))


def test_copies_that_only_the_papers_split_judges_are_drawn_together_too(tmp_path: Path) -> None:
    """20 groups of five images: half of those of the one side are right, none of the other; Binomial(10, .5) / 10."""
    images = [f"p{number:03d}" for number in range(100)]
    copies = pd.DataFrame({"subject": images, "group": [f"c{number // 5}" for number in range(100)]})
    first = leave(tmp_path / "a", rows_of(hits(images[:50], 25)))
    copies.to_csv(first.folder / "copies.csv", index=False)
    others = rows_of(hits(images[50:], 0)).assign(scan=images[50:], subject=[f"g{place // 5}" for place in range(50)])
    (leak,) = compare(first, leave(tmp_path / "b", others), replace(ACCURACY, unit="samples"))
    assert (leak.value["mean"], leak.paired, leak.value["n"]) == (pytest.approx(0.5), None, 20)
    assert interval(leak) == (pytest.approx(0.2, abs=0.06), pytest.approx(0.8, abs=0.06))


def test_repeats_are_averaged_and_a_patient_of_both_is_one_patient(tmp_path: Path) -> None:
    first: list[Evaluation] = []
    second: list[Evaluation] = []
    for repeat, right in enumerate((60, 80)):
        first.append(leave(tmp_path / f"a{repeat}", rows_of(hits(HUNDRED, right)), repeat))
        second.append(leave(tmp_path / f"b{repeat}", rows_of(hits(HUNDRED, 50)), repeat))
    second.append(leave(tmp_path / "b2", rows_of(hits(HUNDRED, 0)), 2))  # the other column has no third
    (leak,) = compare(first, second)
    assert (leak.value["mean"], leak.value["n"]) == (pytest.approx(0.2), 100)
    twice = compare([first[0], leave(tmp_path / "a1b", rows_of(hits(HUNDRED, 60)), 1)], second)
    once = compare(first[0], second[0])
    assert interval(twice[0]) == pytest.approx(interval(once[0]))
    of_second = compare(first, second, replace(ACCURACY, repeat=1))
    assert of_second[0].value["mean"] == pytest.approx(0.3)


def test_what_counts_images_in_one_column_alone_is_compared_by_patients(tmp_path: Path) -> None:
    samples = rows_of(hits(HUNDRED, 90))
    first = leave(tmp_path / "a", rows_of(hits(HUNDRED, 60)), samples=samples)
    second = leave(tmp_path / "b", rows_of(hits(HUNDRED, 50)))
    by_patient, by_image = compare(first, second, replace(ACCURACY, unit="split"), replace(ACCURACY, unit="samples"))
    assert (by_patient.counted, by_patient.first) == ("patients", pytest.approx(0.6))
    assert (by_image.counted, by_image.first) == ("samples", pytest.approx(0.9))


def test_the_recipe_is_the_difference_of_the_other_two(tmp_path: Path) -> None:
    right = {"paper": 90, "paper_by_patient": 60, "ours": 75}
    found = {("net", name): [leave(tmp_path / name, rows_of(hits(HUNDRED, count)))] for name, count in right.items()}
    leak, recipe = list_differences(TABLE, [ACCURACY], found)
    assert (leak.kind, leak.value["mean"]) == ("leak", pytest.approx(0.3))
    assert (recipe.kind, recipe.value["mean"]) == ("recipe", pytest.approx(-0.15))
    assert list(lay_out_differences([leak, recipe]).columns) == [("", ""), ("accuracy", "leak"), ("accuracy", "recipe")]
    assert [part.kind for part in list_differences(find_table("p4-table1"), [ACCURACY], found)] == ["split", "recipe"]


def test_soft_dice_and_votes_are_compared_too(tmp_path: Path) -> None:
    dice = Cell("ED", "soft Dice", "net", "soft_dice_ED", 0.9, "patients")
    masks = [pd.DataFrame({"subject": ["a", "b"], "soft_dice_ED": values}) for values in ([0.9, 0.7], [0.5, 0.5])]
    first, second = (
        leave(tmp_path / f"m{place}", rows, soft_dice={}, classes=None) for place, rows in enumerate(masks)
    )
    (leak,) = compare(first, second, dice)
    assert (leak.value["mean"], leak.paired) == (pytest.approx(0.3), 2)
    assert interval(leak) == (pytest.approx(0.2), pytest.approx(0.4))
    votes = Cell("overall", "vote", "net", "majority vote, patients counted: accuracy", None, "samples")
    first, second = (
        leave(tmp_path / str(right), rows_of(hits(HUNDRED, right)), samples=rows_of(hits(HUNDRED, 100)))
        for right in (60, 50)
    )
    (leak,) = compare(first, second, votes)
    assert leak.value["mean"] == pytest.approx(0.1)


def test_what_is_no_test_or_was_not_measured_has_no_difference(tmp_path: Path) -> None:
    first, second = (leave(tmp_path / str(right), rows_of(hits(HUNDRED, right))) for right in (60, 50))
    on_validation = leave(tmp_path / "v", rows_of(hits(HUNDRED, 50)), side="validation")
    assert compare(first, on_validation) == []
    assert compare(first, []) == []
    other = leave(tmp_path / "o", rows_of(hits(HUNDRED, 50)), 1)
    assert compare(first, other) == []  # another split
    absent = [replace(ACCURACY, measure="cost_parameters"), replace(ACCURACY, side="validation")]
    assert compare(first, second, *absent) == []


def test_the_words_say_how_each_difference_was_made(tmp_path: Path) -> None:
    first, second = (leave(tmp_path / str(right), rows_of(hits(HUNDRED, right))) for right in (60, 50))
    (paired,) = compare(first, second)
    told = " ".join(how_to_read([paired], 1))
    assert "Leak: the paper's recipe on the paper's split, less the same recipe split by patient." in told
    assert "Paired" in told
    assert "Unpaired" not in told
    assert "Recipe" not in told
    assert "one network each" in told
    unpaired = replace(paired, kind="recipe", paired=None, same_classes=False)
    told = " ".join(how_to_read([unpaired], 3))
    assert "Unpaired: the columns judge mostly different patients" in told
    assert "other classes" in told
    assert "3 networks each" in told
    assert how_to_read([], 1) == []
