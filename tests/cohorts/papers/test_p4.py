from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from common.cohorts.papers.p4 import published_people
from common.transforms.shared_items import share_weights


def people(lgg: int, hgg: int, healthy: int) -> list[dict[str, Any]]:
    groups = {"LGG": lgg, "HGG": hgg, "healthy": healthy}
    return [{"subject": f"{name}{n:03d}", "grade": name} for name, count in groups.items() for n in range(count)]


def test_the_published_numbers_and_weights_come_from_the_data_sets_as_they_are() -> None:
    cohort = published_people(people(76, 259, 581), seed=0)
    assert Counter(record["grade"] for record in cohort) == {"LGG": 73, "HGG": 259, "healthy": 259}
    labels = {"LGG": 0, "HGG": 1, "healthy": 2}
    weights = share_weights([{"label": labels[record["grade"]]} for record in cohort], 3)
    assert weights is not None
    assert weights.tolist() == pytest.approx([0.876, 0.562, 0.562], abs=5e-4)


def test_the_seed_decides_and_the_order_does_not() -> None:
    everybody = people(76, 259, 581)
    drawn = {record["subject"] for record in published_people(everybody, seed=1)}
    assert drawn == {record["subject"] for record in published_people(everybody[::-1], seed=1)}
    assert drawn != {record["subject"] for record in published_people(everybody, seed=2)}


def test_a_smaller_data_set_gives_what_it_has_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        cohort = published_people([*people(5, 8, 20), {"subject": "x", "grade": None}], seed=0)
    assert Counter(record["grade"] for record in cohort) == {"LGG": 5, "HGG": 8, "healthy": 8}
    assert "5 of 5 LGG, 8 of 8 HGG, 8 of 20 healthy (published: 73 LGG, 259 HGG, 259 healthy)" in caplog.text


def test_all_scans_of_a_person_are_kept() -> None:
    scans = [{**record, "scan": f"{record['subject']}-{n}"} for record in people(2, 3, 0) for n in range(2)]
    assert len(published_people(scans, seed=0)) == 10
