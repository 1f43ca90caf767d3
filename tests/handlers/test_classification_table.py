from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from common.errors import CheckpointError, OutputError
from common.handlers import ClassificationTable
from common.transforms import ClassProbabilitiesd

CLASSES = ("short (under 300 days)", "long")


def batch(subject: str, probabilities: list[Any], **item: Any) -> Any:
    """As inference leaves it: from one image's probabilities, or from those of several."""
    output = ClassProbabilitiesd()({"subject": subject, "pred": torch.tensor(probabilities).log()})
    return SimpleNamespace(state=SimpleNamespace(batch=[{"subject": subject, **item}], output=[output]))


def infer(folder: Path, *batches: Any) -> None:
    """A run from its start to its end."""
    table = ClassificationTable(folder, CLASSES)
    table.start(batches[0])
    for one in batches:
        table(one)
    table.finish(batches[-1])


def read(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "predictions.json").read_text(encoding="utf-8"))


def test_a_row_a_patient_in_both_files(tmp_path: Path) -> None:
    ClassificationTable(tmp_path / "out", CLASSES)(batch("007", [0.25, 0.75]))
    expected = {"subject": "007", "predicted": "long", "p_short (under 300 days)": 0.25, "p_long": 0.75}
    assert read(tmp_path / "out") == [expected]
    table = pd.read_csv(tmp_path / "out" / "predictions.csv", dtype={"subject": str})
    assert table.to_dict("records") == [expected]


def test_several_samples_tell_their_votes(tmp_path: Path) -> None:
    """Two of three vote short, but long is more probable on average."""
    ClassificationTable(tmp_path, CLASSES)(batch("A", [[0.6, 0.4], [0.6, 0.4], [0.0, 1.0]]))
    (row,) = read(tmp_path)
    assert (row["samples"], row["votes_short (under 300 days)"], row["votes_long"]) == (3, 2, 1)
    assert (row["predicted"], row["voted"]) == ("long", "short (under 300 days)")
    assert row["p_long"] == pytest.approx(0.6)


def test_equal_votes_go_to_the_more_probable_class(tmp_path: Path) -> None:
    ClassificationTable(tmp_path, CLASSES)(batch("A", [[0.6, 0.4], [0.1, 0.9]]))
    assert read(tmp_path)[0]["voted"] == "long"


def test_earlier_rows_are_kept_and_a_patients_own_is_replaced(tmp_path: Path) -> None:
    infer(tmp_path, batch("002", [[0.2, 0.8], [0.3, 0.7]]), batch("001", [0.9, 0.1]))
    infer(tmp_path, batch("002", [[0.8, 0.2], [0.7, 0.3]]))
    rows = pd.read_csv(tmp_path / "predictions.csv", dtype=str, index_col="subject", keep_default_na=False)
    assert rows["predicted"].to_dict() == {"001": CLASSES[0], "002": CLASSES[0]}
    assert rows["samples"].to_dict() == {"001": "", "002": "2"}  # a whole number stays one beside an empty cell
    assert [sorted(row) == sorted(read(tmp_path)[0]) for row in read(tmp_path)] == [True, False]


def test_scans_of_a_patient_have_a_row_each(tmp_path: Path) -> None:
    answers = (("P-001", 0.2), ("P-000", 0.6), ("P-001", 0.9))
    infer(tmp_path, *(batch("P", [1 - long, long], scan=scan) for scan, long in answers))
    assert [(row["scan"], row["predicted"]) for row in read(tmp_path)] == [("P-000", "long"), ("P-001", "long")]


def test_a_long_table_is_not_written_after_every_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that takes a second is followed by ten without one, and nothing is missing in the end."""
    clock = iter(float(second) for second in range(100))
    monkeypatch.setattr("common.handlers.classification_table.time.monotonic", lambda: next(clock))
    table = ClassificationTable(tmp_path, CLASSES)
    written = []
    for number in range(12):  # it looks at the clock once a batch, and twice more when it writes
        table(batch(f"{number:02d}", [0.5, 0.5]))
        written.append(len(read(tmp_path)))
    assert written == [1] * 10 + [11, 11]
    table.finish(batch("11", [0.5, 0.5]))
    assert len(read(tmp_path)) == 12


def test_an_id_that_cannot_name_a_file_is_refused(tmp_path: Path) -> None:
    infer(tmp_path, batch("yes/y1", [0.2, 0.8]))
    with pytest.raises(OutputError, match=r"separator|another folder"):
        infer(tmp_path, batch("../../escaped", [0.2, 0.8]))


def test_a_scan_that_the_weights_know_is_marked(tmp_path: Path) -> None:
    infer(tmp_path, batch("A", [0.25, 0.75], trained_on="yes"), batch("B", [0.25, 0.75], trained_on="no"))
    assert [row["trained_on"] for row in read(tmp_path)] == ["yes", "no"]


def test_the_table_comes_last_so_that_a_resumed_run_completes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.handlers.classification_table.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        infer(tmp_path, batch("A", [0.25, 0.75]))
    assert not (tmp_path / "predictions.csv").exists()


def test_an_answer_that_is_no_number_is_no_class(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="answer for A is not a number"):
        infer(tmp_path, batch("A", [[0.2, 0.8], [float("nan")] * 2]))
    assert not list(tmp_path.iterdir())
