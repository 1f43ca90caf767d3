from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from common.formats.spreadsheets import read_frame, write_frame
from common.formats.tables import as_cell, from_cell, read_table

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    "\uff1d1+1",
    "-P1",
)
HARMLESS = ("", "-1", "+3", "-1.5e-3", ".5", "P=1", "p-1", "a@b", "'quoted'", "O'Neil", "'", "''")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_is_a_text(text: str) -> None:
    assert as_cell(text) == f"'{text}"
    assert from_cell(as_cell(text)) == text


@pytest.mark.parametrize("value", [*HARMLESS, -1, -0.5, None, float("inf")])
def test_all_else_stays_as_it_is(value: object) -> None:
    assert as_cell(value) == value
    assert from_cell(as_cell(value)) == value


@pytest.mark.parametrize("text", ["'=1", "''=1", "'-1"])
def test_an_apostrophe_of_its_own_is_not_lost(text: str) -> None:
    assert from_cell(as_cell(text)) == text
    assert as_cell(text)[0] == "'"


def test_a_table_is_protected_and_comes_back(tmp_path: Path) -> None:
    subjects = ["001", *FORMULAS[:4], "-P1", "-1"]
    frame = pd.DataFrame({"subject": subjects, "=header": range(-3, 4), "change": [-0.5] * 7})
    write_frame(tmp_path / "a.csv", frame)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["subject", "'=header", "change"]
    assert [row[0] for row in rows] == ["001", *(f"'{text}" for text in FORMULAS[:4]), "'-P1", "-1"]
    assert [row[1] for row in rows] == ["-3", "-2", "-1", "0", "1", "2", "3"]
    pd.testing.assert_frame_equal(read_frame(tmp_path / "a.csv"), frame)


def test_a_list_of_ones_own_made_of_our_table_has_the_ids_that_were_meant(tmp_path: Path) -> None:
    write_frame(tmp_path / "a.csv", pd.DataFrame({"subject": ["=1", "-P1", "-1"]}))
    assert [row["subject"] for _, row in read_table(tmp_path / "a.csv").rows] == ["=1", "-P1", "-1"]


def test_ids_that_other_programs_take_for_missing_stay(tmp_path: Path) -> None:
    frame = pd.DataFrame({"subject": ["NA", "None", "nan", "007"], "scan": ["null", None, "", "1"], "dice": [1.0] * 4})
    write_frame(tmp_path / "t.csv", frame)
    read = read_frame(tmp_path / "t.csv")
    assert read["subject"].tolist() == ["NA", "None", "nan", "007"]
    assert read["scan"].isna().tolist() == [False, True, True, False]
    assert read["scan"][0] == "null" and read["scan"][3] == "1"
