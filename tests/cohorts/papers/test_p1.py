from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.cohorts.datasets.brats import read_brats
from common.cohorts.labels.survival_classes import SurvivalClasses
from common.cohorts.papers.p1 import published_cohort
from common.errors import DatasetError


def brats2020(hgg: int = 293, lgg: int = 76, recorded: int = 236) -> list[dict[str, Any]]:
    """The counts of BraTS 2020; ages 50 and 60, so mean 55 and standard deviation 5."""
    nothing = {"age": None, "survival_days": None, "alive": False, "resection": None}
    high = [
        {**nothing, "subject": f"H{number:03d}", "grade": "HGG", "age": 50.0 + 10 * (number % 2), "survival_days": 400}
        if number < recorded
        else {**nothing, "subject": f"H{number:03d}", "grade": "HGG"}
        for number in range(hgg)
    ]
    return [*high, *({**nothing, "subject": f"L{number:03d}", "grade": "LGG"} for number in range(lgg))]


def test_76_and_76_with_every_value_but_the_resection() -> None:
    cohort = published_cohort(brats2020(), seed=0)
    assert Counter(record["grade"] for record in cohort) == {"LGG": 76, "HGG": 76}
    assert all(record["age"] and record["survival_days"] and not record["alive"] for record in cohort)
    assert all(record["resection"] is None for record in cohort if record["grade"] == "LGG")
    assert {record["grade"] for record in cohort if record.get("invented")} == {"LGG"}
    assert sum(record.get("invented", False) for record in cohort) == 76


def test_what_is_invented_follows_the_text() -> None:
    """24 % in 4 to 5 years, 76 % in 5 to 7; ages in mean ± SD. Of 2,000 draws the share varies by .01."""
    cohort = published_cohort(brats2020(hgg=2000, lgg=2000, recorded=2000), seed=1)
    invented = [record for record in cohort if record.get("invented")]
    days = np.array([record["survival_days"] for record in invented])
    ages = np.array([record["age"] for record in invented])
    assert days.min() >= 4 * 365.25
    assert days.max() < 7 * 365.25
    assert np.mean(days < 5 * 365.25) == pytest.approx(0.24, abs=0.03)
    assert (ages.min(), ages.max()) == (pytest.approx(50, abs=0.1), pytest.approx(60, abs=0.1))
    assert ages.mean() == pytest.approx(55, abs=0.3)
    assert ages.std() == pytest.approx(10 / np.sqrt(12), abs=0.2)


def test_the_invented_fill_the_class_beyond_five_years() -> None:
    classes = SurvivalClasses((365, 1826))  # P1's, 1 and 5 years
    labels = Counter(classes.label(record) for record in published_cohort(brats2020(), seed=0))
    assert labels[2] == pytest.approx(0.76 * 76, abs=12)
    assert labels[1] == 76 + 76 - labels[2]


def test_the_seed_decides_and_the_order_does_not() -> None:
    records = brats2020()
    first, again, other = (
        published_cohort(part, seed) for part, seed in ((records, 3), (records[::-1], 3), (records, 4))
    )
    assert sorted(first, key=lambda r: r["subject"]) == sorted(again, key=lambda r: r["subject"])
    assert {record["subject"] for record in first} != {record["subject"] for record in other}
    drawn = [{r["subject"]: r["age"] for r in part if r.get("invented")} for part in (first, other)]
    assert drawn[0].keys() == drawn[1].keys()
    assert drawn[0] != drawn[1]


def test_other_patients_change_nothing_of_an_invented_survival() -> None:
    fewer = {r["subject"]: r["survival_days"] for r in published_cohort(brats2020(lgg=40), seed=0)}
    more = {r["subject"]: r["survival_days"] for r in published_cohort(brats2020(lgg=76), seed=0)}
    assert all(more[f"L{number:03d}"] == fewer[f"L{number:03d}"] for number in range(40))


def test_fewer_hgg_than_lgg() -> None:
    cohort = published_cohort(brats2020(hgg=10, lgg=76, recorded=5), seed=0)
    assert Counter(record["grade"] for record in cohort) == {"LGG": 5, "HGG": 5}


def test_recorded_values_of_lgg_are_kept() -> None:
    records = brats2020(hgg=5, lgg=2, recorded=5)
    records[-1].update(age=33.0, survival_days=900.0, alive=True)
    records[-2].update(age=44.0)
    partly, complete = published_cohort(records, seed=0)[-2:]
    assert (partly["age"], partly["invented"]) == (44.0, True)
    assert partly["survival_days"] >= 1461
    assert complete == records[-1]


def test_hgg_who_were_alive_are_not_drawn() -> None:
    records = brats2020(hgg=4, lgg=2, recorded=4)
    records[0]["alive"] = records[1]["alive"] = True
    assert [record["subject"] for record in published_cohort(records, seed=0)] == ["H002", "H003", "L000", "L001"]


def test_all_that_is_lacking_is_told_at_once() -> None:
    with pytest.raises(DatasetError) as caught:
        published_cohort(brats2020(lgg=0, recorded=0), seed=0)
    assert len(caught.value.problems) == 2
    assert "no patient is LGG" in str(caught.value)
    assert "no HGG patient has an age and a day of death" in str(caught.value)


def test_on_phantoms_the_log_says_that_values_are_invented(phantom_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    records = read_brats(phantom_dir)
    size = sum(record["grade"] == "LGG" for record in records)
    with caplog.at_level(logging.INFO):
        cohort = published_cohort(records, seed=0)
    assert len(cohort) == 2 * size
    assert f"values of {size} LGG are invented" in caplog.text
