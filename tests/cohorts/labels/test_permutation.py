from __future__ import annotations

from collections import Counter

import pytest

from common.cohorts import permute_labels
from common.cohorts.labels.permutation import are_permuted


def scans(subjects: int, each: int = 2) -> list[dict]:
    """Scans of subjects, a third of them with label 1."""
    return [
        {"subject": f"s{number:02}", "scan": f"s{number:02}_{scan}", "label": int(number % 3 == 0), "age": number}
        for number in range(subjects)
        for scan in range(each)
    ]


def labels_of(records: list[dict]) -> dict[str, int]:
    return {record["scan"]: record["label"] for record in records}


def test_all_scans_of_a_subject_share_one_label_and_no_class_grows() -> None:
    records = scans(30)
    permuted = permute_labels(records, enabled=True, seed=1)
    by_subject = {record["subject"]: record["label"] for record in permuted}
    assert all(record["label"] == by_subject[record["subject"]] for record in permuted)
    assert Counter(labels_of(permuted).values()) == Counter(labels_of(records).values())
    assert labels_of(permuted) != labels_of(records)
    others = [{key: value for key, value in record.items() if key not in ("label", "permuted")} for record in permuted]
    assert others == [{key: value for key, value in record.items() if key != "label"} for record in records]


def test_the_draw_hangs_on_the_seed_and_not_on_the_order() -> None:
    records = scans(30)
    first = labels_of(permute_labels(records, enabled=True, seed=1))
    assert labels_of(permute_labels(records[::-1], enabled=True, seed=1)) == first
    assert labels_of(permute_labels(records, enabled=True, seed=2)) != first


def test_a_shuffled_label_tells_nothing_of_the_true_one() -> None:
    """Over many draws a subject of class 1 has label 1 as often as the class is frequent: 10 of 30."""
    records = scans(30, each=1)
    ones = [labels_of(permute_labels(records, enabled=True, seed=seed))["s00_0"] for seed in range(2000)]
    assert sum(ones) / len(ones) == pytest.approx(1 / 3, abs=0.035)  # 3.3 standard errors


def test_unasked_nothing_is_shuffled() -> None:
    records = scans(4)
    assert permute_labels(records, enabled=False, seed=1) == records
    assert not are_permuted(records)


def test_shuffled_records_say_so(caplog: pytest.LogCaptureFixture) -> None:
    records = scans(4)
    assert are_permuted(permute_labels(records, enabled=True))
    assert not are_permuted(records)  # the given ones stay as they are
    assert "labels of 4 subjects are shuffled" in caplog.text


def test_where_scans_of_a_subject_differ_the_first_one_counts() -> None:
    records = [{"subject": "a", "scan": "a2", "label": 0}, {"subject": "a", "scan": "a1", "label": 1}]
    assert {record["label"] for record in permute_labels(records, enabled=True)} == {1}
