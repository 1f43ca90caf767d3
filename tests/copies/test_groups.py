from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from common.copies.groups import CopyPair, CopyReport, join_pairs


@pytest.fixture
def report() -> CopyReport:
    """a-b-c is a chain, d-e a pair below the threshold, f alone; the pair that joins less well stands last."""
    pairs = [
        CopyPair("b", "a", 0.98, "rotated"),
        CopyPair("b", "c", 0.9, "resized"),
        CopyPair("d", "e", 0.79, "mirrored"),
    ]
    return CopyReport({name: f"{name}.jpg" for name in "fedcba"}, pairs, threshold=0.8)


def test_a_chain_of_copies_is_one_group(report: CopyReport) -> None:
    assert report.groups == [["a", "b", "c"], ["d"], ["e"], ["f"]]
    assert report.group_of == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e", "f": "f"}
    assert [pair.score for pair in report.pairs] == [0.98, 0.9]


def test_a_score_at_the_threshold_counts() -> None:
    pair = CopyPair("a", "b", 0.8, "as it is")
    assert CopyReport({"a": "", "b": ""}, [pair], 0.8).groups == [["a", "b"]]


def test_the_curve_tells_what_each_threshold_would_find(report: CopyReport) -> None:
    found = {point.threshold: (point.pairs, point.groups) for point in report.curve}
    assert (found[0.6], found[0.79], found[0.8], found[0.91]) == ((3, 3), (3, 3), (2, 4), (1, 5))


def test_each_image_has_a_line_with_its_best_copy(report: CopyReport, tmp_path: Path) -> None:
    report.to_csv(tmp_path / "copies.csv")
    table = pd.read_csv(tmp_path / "copies.csv", keep_default_na=False, index_col="subject", dtype=str)
    assert list(table.index) == ["a", "b", "c", "d", "e", "f"]
    assert table.loc["b", ["group", "images_in_group", "copy_of", "score"]].tolist() == ["a", "3", "a", "0.9800"]
    assert table.loc["c", ["copy_of", "transform"]].tolist() == ["b", "resized"]
    assert table.loc["d", ["images_in_group", "copy_of", "score"]].tolist() == ["1", "", ""]


def test_points_without_a_pair_are_groups_of_their_own() -> None:
    assert join_pairs([], 3).tolist() == [0, 1, 2]
    assert join_pairs([(0, 2)], 3).tolist() == [0, 1, 0]
