from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.clinical_values import parse_clinical, read_clinical


@pytest.mark.parametrize(
    ("column", "text", "values"),
    [
        ("survival_days", "289", {"survival_days": 289.0}),
        ("survival_days", "1250.5", {"survival_days": 1250.5}),
        ("survival_days", "ALIVE (361 days later)", {"survival_days": 361.0, "alive": True}),
        ("survival_days", "Alive ( 1029 days later )", {"survival_days": 1029.0, "alive": True}),
        ("survival_days", "ALIVE", {"survival_days": None, "alive": True}),
        ("survival_days", "NA", {}),
        ("age", "29.12", {"age": 29.12}),
        ("age", 61, {"age": 61.0}),
        ("age", "120", {"age": 120.0}),
        ("age", None, {}),
        ("age", float("nan"), {}),
        ("resection", "gtr", {"resection": "GTR"}),
        ("resection", " ", {}),
        ("grade", "LGG", {"grade": "LGG"}),
        ("alive", False, {"alive": False}),
        ("alive", "yes", {"alive": True}),
    ],
)
def test_values_as_people_write_them(column, text, values):
    assert parse_clinical({column: text}, "here") == (values, [])


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("age", "sixty"),
        ("age", "0"),
        ("age", "-3"),
        ("age", "120.5"),
        ("age", "inf"),
        ("survival_days", "-1"),
        ("survival_days", "361 days"),
        ("survival_days", "1,250"),
        ("survival_days", "1.250"),
        ("age", "61,5,0"),
        ("resection", "partial"),
        ("grade", "II"),
        ("alive", "perhaps"),
    ],
)
def test_values_that_mean_nothing_are_told_with_their_column(column, text):
    values, (problem,) = parse_clinical({column: text}, "list.csv, line 3")
    assert values == {}
    assert problem.where == "list.csv, line 3"
    assert f"column {column}: '{text}'" in problem.what


def test_a_recorded_alive_is_not_undone_by_the_survival_time():
    values, _ = parse_clinical({"survival_days": "400", "alive": "true"}, "here")
    assert values == {"survival_days": 400.0, "alive": True}


def test_rows_may_repeat_but_not_contradict(tmp_path):
    table = tmp_path / "survival_info.csv"
    table.write_text("Brats20ID,Age\nBraTS20_Training_001,60\nBraTS20_Training_001,60\nBraTS20_Training_001,61\n")
    patients, (problem,) = read_clinical({table: ("age",)})
    assert patients == {"brats20_training_001": {"age": 60.0}}
    assert "line 4" in str(problem)
    assert "age is 61.0, but 60.0" in problem.what


def test_a_table_that_is_no_text(tmp_path):
    table = tmp_path / "survival_info.csv"
    table.write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    _, (problem,) = read_clinical({table: ("age",)})
    assert "cannot be read as CSV" in problem.what


def test_a_byte_order_mark_and_cells_beyond_the_header(tmp_path):
    table = tmp_path / "survival_info.csv"
    table.write_bytes(b"\xef\xbb\xbfBrats20ID,Age\r\nBraTS20_Training_001,60,,\r\nBraTS20_Training_002\r\n")
    patients, problems = read_clinical({table: ("age",)})
    assert problems == []
    assert patients == {"brats20_training_001": {"age": 60.0}, "brats20_training_002": {}}


def test_the_real_tables(realdata: Path):
    folder = realdata / "csv"
    wanted = ("age", "survival_days", "resection")
    patients, problems = read_clinical(
        {
            folder / "brats2019_survival_data.csv": wanted,
            folder / "brats2020_survival_info.csv": wanted,
            folder / "brats2019_name_mapping.csv": ("grade",),
        }
    )
    assert problems == []
    alive = {subject: values["survival_days"] for subject, values in patients.items() if values.get("alive")}
    assert alive == {"brats19_cbica_bfb_1": 361.0, "brats19_cbica_bfp_1": 1029.0, "brats20_training_084": 361.0}
    of_2019 = [values["grade"] for subject, values in patients.items() if subject.startswith("brats19")]
    assert (of_2019.count("HGG"), of_2019.count("LGG")) == (259, 76)


def test_three_digits_behind_the_comma_of_an_age_are_no_thousands():
    # BraTS's own 60.463, saved by a spreadsheet of a country that writes 60,463
    assert parse_clinical({"age": "60,463"}, "line 2") == ({"age": 60.463}, [])
    values, (problem,) = parse_clinical({"survival_days": "1,250"}, "line 2")
    assert (values, "'1,250'" in problem.what) == ({}, True)
