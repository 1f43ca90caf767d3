from __future__ import annotations

from typing import Any

import pytest

from common.reports.page import DASH, _environment
from common.reports.shortcuts import shortcut_table
from common.tasks.nouns import PATIENTS
from tests.facts import in_order


@pytest.fixture
def shortcuts() -> dict[str, Any]:
    """Healthy is judged, the grades are too few."""
    judged = {
        "question": "healthy from tumour",
        "note": "",
        "too_small": {},
        "auc": 1.0,
        "chance": 0.875,
        "p_value": 0.0025,
        "alone": {"the shape": 1.0, "the noise": 0.5},
    }
    left = {"question": "LGG from HGG", "note": "too few per class to judge (10 HGG, 2 LGG).", "too_small": {}}
    return {"questions": [judged, left], "warnings": []}


def section_of(shortcuts: dict[str, Any]) -> str:
    macros: Any = _environment().get_template("shortcuts.html.j2").module
    return macros.shortcut_section(shortcuts, shortcut_table(shortcuts), PATIENTS)


def test_one_row_per_trait_and_chance_last(shortcuts: dict[str, Any]) -> None:
    table = shortcut_table(shortcuts)
    assert list(table) == ["trait", "healthy from tumour"]
    assert table.to_numpy().tolist() == [
        ["the shape", "1.00"],
        ["the noise", "0.50"],
        ["all traits together", "1.00"],
        ["rarely exceeded with shuffled labels", "0.88"],
        ["p", "0.003"],
    ]


def test_two_questions_stand_side_by_side(shortcuts: dict[str, Any]) -> None:
    judged = {**shortcuts["questions"][0], "question": "LGG from HGG", "alone": {"the site": 0.7}}
    table = shortcut_table({"questions": [shortcuts["questions"][0], judged]}).set_index("trait")
    assert table.loc["the site"].tolist() == [DASH, "0.70"]
    assert table.loc["the shape"].tolist() == ["1.00", DASH]
    assert list(table.index[-3:]) == ["all traits together", "rarely exceeded with shuffled labels", "p"]


def test_what_was_not_judged_is_told(shortcuts: dict[str, Any]) -> None:
    shortcuts["questions"][0]["too_small"] = {"new": 3}
    html = section_of(shortcuts)
    assert in_order(html, "Not judged", "LGG from HGG", "(10 HGG, 2 LGG)")
    assert "left out of healthy from tumour: new (3)." in html


def test_where_nothing_could_be_judged_there_is_no_table(shortcuts: dict[str, Any]) -> None:
    del shortcuts["questions"][0]
    html = section_of(shortcuts)
    assert "Not judged: LGG from HGG" in html
    assert "<table" not in html


def test_without_a_probe_there_is_no_section() -> None:
    assert section_of({"warnings": []}).strip() == ""
