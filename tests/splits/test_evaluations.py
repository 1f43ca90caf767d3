from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from common.errors import OutputError
from common.splits.evaluations import FILE_NAME, count_evaluation, hash_weights
from common.splits.manifest import SplitManifest


def split(test: str, train: str = "A") -> SplitManifest:
    return SplitManifest({"train": tuple(train), "validation": (), "test": tuple(test)}, "cohort")


def test_other_weights_count_and_the_same_ones_do_not_count_again(tmp_path: Path) -> None:
    assert [count_evaluation(tmp_path, split("BC"), weights) for weights in ("x", "x", "y", "x")] == [1, 1, 2, 2]
    record = json.loads((tmp_path / FILE_NAME).read_text())
    assert [entry["weights"] for entry in record] == ["x", "y"]
    age = datetime.now(timezone.utc) - datetime.fromisoformat(record[0]["date"])
    assert age < timedelta(minutes=5)


def test_another_test_side_is_counted_on_its_own(tmp_path: Path) -> None:
    count_evaluation(tmp_path, split("BC"), "x")
    assert count_evaluation(tmp_path, split("D"), "y") == 1
    assert count_evaluation(tmp_path, split("CB", train="AE"), "y") == 2  # the same patients, others trained on


def test_the_members_of_an_ensemble_are_one_network_in_any_order(tmp_path: Path) -> None:
    one, other = tmp_path / "a.pt", tmp_path / "b.pt"
    one.write_bytes(b"a")
    other.write_bytes(b"b")
    assert hash_weights([one, other]) == hash_weights([other, one]) != hash_weights([one])


@pytest.mark.parametrize("damaged", ["{", "[1]", '[{"weights": "x"}]', "3"])
def test_a_damaged_record_is_told_and_not_overwritten(tmp_path: Path, damaged: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(damaged)
    with pytest.raises(OutputError, match="is damaged"):
        count_evaluation(tmp_path, split("B"), "x")
    assert path.read_text() == damaged
