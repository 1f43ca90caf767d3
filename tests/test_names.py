from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from common.errors import OutputError
from common.names import (
    MOST_BYTES,
    file_name_of,
    name_problem,
    name_problems,
    name_some,
    similar_names,
    soundly_named,
    warn_of_similar_names,
)


@pytest.mark.parametrize(
    "name", ["p1", "Brats18_2013.08.03", "M\u00fcller", "a..b", "...", "-p", "a b", "001", "x" * 150, "\u6c38" * 50]
)
def test_sound_ids(name: str) -> None:
    assert name_problem(name, "list.csv") is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("../../escaped", r"holds a separator of folders \(/\)"),
        ("/etc/passwd", r"holds a separator of folders \(/\)"),
        ("..\\escaped", r"holds a separator of folders \(\\\)"),
        ("..", "leads to another folder"),
        (".", "leads to another folder"),
        ("", "is empty"),
        ("  ", "is made of spaces"),
        ("a\nb", r"holds a control character \(U\+000A\)"),
        ("a\x00b", r"holds a control character \(U\+0000\)"),
        ("a\x9bb", r"holds a control character \(U\+009B\)"),
        ("a\u2028b", r"holds a control character \(U\+2028\)"),
        ("a\udcffb", "holds bytes that are no text in UTF-8"),
        ("x" * 151, "has 151 bytes"),
        ("\u6c38" * 51, "has 153 bytes"),
    ],
)
def test_what_cannot_name_a_file_is_told_with_the_place_and_a_hint(name: str, what: str) -> None:
    problem = name_problem(name, "list.csv, line 2")
    assert problem is not None
    message = str(problem)
    assert message.startswith("list.csv, line 2: the subject ")
    assert message.isprintable()
    assert len(message) < 300
    assert re.search(what, message)
    assert f"1 to {MOST_BYTES} bytes" in problem.hint


def test_an_images_place_is_an_id_but_leads_nowhere_else() -> None:
    assert name_problem("yes/y12", "x", folders=True) is None
    for name in ("yes/../y1", "/yes/y1", "yes//y1", "yes/y\n1", "yes\\y1", "yes/" + "x" * 151):
        assert name_problem(name, "x", folders=True) is not None, name


def test_subject_and_scan_are_looked_at() -> None:
    record = {"subject": "a/b", "scan": "..", "image": "/x/a.nii.gz"}
    assert [problem.what.split()[1] for problem in name_problems(record, "x")] == ["subject", "scan"]
    sound, problems = soundly_named([record, {"subject": "p1"}])
    assert sound == [{"subject": "p1"}]
    assert {problem.where for problem in problems} == {"/x/a.nii.gz"}


def test_a_writer_names_a_file_by_the_scan_or_refuses(tmp_path: Path) -> None:
    assert file_name_of({"subject": "p1", "scan": None}, tmp_path) == "p1"
    assert file_name_of({"subject": "p1", "scan": "p1-000"}, tmp_path) == "p1-000"
    with pytest.raises(OutputError, match="separator of folders"):
        file_name_of({"subject": "../p1"}, tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("001", "1"),
        ("P01", "p01"),
        ("P1", "P001"),
        ("M\u00fcller", "Mu\u0308ller"),
        ("p 1", "p1"),
        ("p\u00a01", "p1"),
        ("p\u200b1", "p1"),
        ("\ufeffp1", "p1"),
        ("\uff501", "p1"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_ids_that_look_alike(one: str, other: str) -> None:
    assert similar_names([one, "another", other, one]) == [[one, other]]


def test_ids_that_differ_in_more() -> None:
    assert similar_names(["p1", "p10", "p2", "p100", "p-1", "q1", "1", "10", "0", "p1a"]) == []


def test_one_warning_names_them_all(caplog: pytest.LogCaptureFixture) -> None:
    names = ["001", "1", "M\u00fcller", "Mu\u0308ller", "p1", "p\u200b1"]
    with caplog.at_level(logging.WARNING):
        warn_of_similar_names([{"subject": name} for name in names])
    (message,) = caplog.messages
    assert "'001' and '1'; 'M\u00fcller' and 'Mu\\u0308ller'; 'p1' and 'p\\u200b1'." in message
    caplog.clear()
    warn_of_similar_names([{"subject": "p1", "scan": "a"}, {"subject": "p1", "scan": "A"}])
    assert not caplog.messages


def test_the_check_of_a_data_set_names_them() -> None:
    from common.reports.checkups.series import describe_series

    records = [{"subject": name, "source": "datalist", "mgmt": None} for name in ("001", "1")]
    assert "names alike" in describe_series(records, [])
    assert "'001' and '1'" in describe_series(records, [])
    assert "names alike" not in describe_series(records[:1], [])


def test_long_lists_are_cut() -> None:
    assert name_some(["B", "A"]) == "A, B"
    assert name_some([f"P{number}" for number in range(8)]) == "P0, P1, P2, P3, P4 and 3 more"
