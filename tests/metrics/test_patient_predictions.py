from __future__ import annotations

import math

import pandas as pd
import pytest

from common.metrics import to_patients, vote_table

CLASSES = ("short", "mid", "long")


def samples(*rows: tuple[str, bool, str, float, float, float]) -> pd.DataFrame:
    """Subject, tumour, truth and the three probabilities of each slice."""
    table = pd.DataFrame(rows, columns=["subject", "tumour", "truth", *(f"p_{name}" for name in CLASSES)])
    return table.assign(sample=table.groupby("subject").cumcount())


COHORT = samples(
    ("A", True, "short", 0.6, 0.4, 0.0),
    ("A", True, "short", 0.6, 0.4, 0.0),
    ("A", True, "short", 0.0, 1.0, 0.0),  # two votes for short, but mid is more probable on average
    ("A", False, "short", 0.0, 0.0, 1.0),  # empty: does not speak
    ("B", True, "long", 0.1, 0.2, 0.7),
    ("B", False, "long", 0.1, 0.2, 0.7),
    ("C", False, "mid", 0.2, 0.5, 0.3),  # no tumour anywhere: all slices speak
    ("C", False, "mid", 0.5, 0.4, 0.1),
)


def test_patients_by_hand() -> None:
    rows = to_patients(COHORT, CLASSES).set_index("subject")
    assert rows["predicted"].to_dict() == {"A": "mid", "B": "long", "C": "mid"}
    assert rows["voted"].to_dict() == {"A": "short", "B": "long", "C": "mid"}  # C: one vote each, mid is more probable
    assert rows["samples"].to_dict() == {"A": 3, "B": 1, "C": 2}
    assert rows.loc["A", "p_mid"] == pytest.approx(0.6)
    assert rows.loc["C", "p_mid"] == pytest.approx(0.45)
    assert rows["truth"].to_dict() == {"A": "short", "B": "long", "C": "mid"}


def test_without_a_tumour_flag_all_samples_speak() -> None:
    rows = to_patients(COHORT.drop(columns="tumour"), CLASSES).set_index("subject")
    assert rows["samples"].to_dict() == {"A": 4, "B": 2, "C": 2}


def test_scans_of_a_patient_get_an_answer_each() -> None:
    rows = to_patients(COHORT.assign(subject="X", scan=COHORT["subject"]), CLASSES)
    assert rows[["subject", "scan", "voted"]].to_numpy().tolist() == [
        ["X", "A", "short"],
        ["X", "B", "long"],
        ["X", "C", "mid"],
    ]


def test_the_ways_of_counting_by_hand() -> None:
    """P3 counts slices: A's three slices with tumour all count as right, since its vote is."""
    table = vote_table(COHORT[COHORT["subject"] != "C"], CLASSES).set_index("counted")
    assert table["n"].to_dict() == {
        "all slices": 6,
        "slices with tumour": 4,
        "majority vote, slices counted": 4,
        "majority vote, patients counted": 2,
        "mean probability, patients counted": 2,
    }
    assert table["accuracy"].to_list() == pytest.approx([4 / 6, 3 / 4, 1, 1, 1 / 2])
    assert table["accuracy_short"].to_list() == pytest.approx([2 / 4, 2 / 3, 1, 1, 0])
    assert table["accuracy_long"].to_list() == pytest.approx([1, 1, 1, 1, 1])
    assert all(math.isnan(value) for value in table["accuracy_mid"])


def test_a_wrong_vote_makes_all_its_slices_wrong() -> None:
    rows = samples(
        ("A", True, "short", 0.9, 0.1, 0.0),
        ("A", True, "short", 0.2, 0.8, 0.0),
        ("A", True, "short", 0.2, 0.8, 0.0),
        ("B", True, "long", 0.0, 0.1, 0.9),
    )
    table = vote_table(rows, CLASSES).set_index("counted")["accuracy"]
    assert table["slices with tumour"] == 2 / 4
    assert table["majority vote, slices counted"] == 1 / 4
    assert table["majority vote, patients counted"] == 1 / 2


def test_samples_that_are_no_slices_are_called_samples() -> None:
    table = vote_table(COHORT.drop(columns="tumour"), CLASSES).set_index("counted")["n"]
    assert table.to_dict() == {
        "all samples": 8,
        "majority vote, samples counted": 8,
        "majority vote, patients counted": 3,
        "mean probability, patients counted": 3,
    }
