from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from common.records import Record
from common.reproduction.data_tables import clinical_characteristics

REAL = Path(os.environ.get("GLIOMA_REALDATA", "absent")) / "csv" / "brats2020_survival_info.csv"


def person(name: str, grade: str, **known: object) -> Record:
    return {"subject": name, "grade": grade, **known}  # type: ignore[typeddict-item]


def table_of(records: list[Record]) -> pd.DataFrame:
    return clinical_characteristics(records).set_index("")


def test_means_are_of_what_is_recorded_and_the_living_have_no_survival() -> None:
    records = [
        person("a", "HGG", age=50.0, survival_days=365.25),
        person("b", "HGG", age=60.0, survival_days=730.5),
        person("c", "HGG", age=70.0, survival_days=10_000.0, alive=True),
        person("d", "HGG"),
        person("e", "LGG"),
    ]
    assert [name.partition(":")[0] for name in table_of(records)] == ["LGG", "LGG", "LGG", "HGG", "HGG"]
    found = table_of(records)["HGG: recorded"]
    assert found.to_list() == ["4", "3", "2", "60.00 ± 10.00", "1.50 ± 0.71", "not recorded"]
    assert table_of(records)["LGG: recorded"].to_list() == ["1", "0", "0", *["not recorded"] * 3]


@pytest.mark.skipif(not REAL.is_file(), reason="the real tables are not here")
def test_of_the_real_tables() -> None:
    """BraTS 2020: 236 ages, all of HGG, and one of these patients was alive; 76 patients are LGG."""
    rows = pd.read_csv(REAL).to_dict("records")
    known = [
        {"age": row["Age"], "survival_days": days, "alive": False} if (days := _days(row)) else {"age": row["Age"]}
        for row in rows
    ]
    records = [person(f"H{n}", "HGG", **values) for n, values in enumerate(known)]
    found = table_of([*records, *(person(f"L{n}", "LGG") for n in range(76))])
    assert found.loc["mean age, years", "HGG: recorded"] == "61.22 ± 11.87"
    assert found.loc["mean survival, years", "HGG: recorded"] == "1.22 ± 0.97"
    filled = found["LGG: filled in by P1's rule"]
    age, years = (float(str(filled[row]).split()[0]) for row in ("mean age, years", "mean survival, years"))
    assert 58 < age < 64  # 38.5 is printed
    assert 5.3 < years < 6


def _days(row: dict) -> float | None:
    return float(row["Survival_days"]) if str(row["Survival_days"]).isdigit() else None
