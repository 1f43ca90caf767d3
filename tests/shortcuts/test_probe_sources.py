"""The probe on cohorts of one source and of two: silent there, loud here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from common.shortcuts import probe as probe_module
from common.shortcuts.classifier import probe
from common.shortcuts.probe import ShortcutReport, probe_shortcuts
from common.shortcuts.voxel_traits import voxel_traits
from common.shortcuts.warning_words import OF_HEALTHY
from common.splits import probe_sources
from tests.facts import in_order

LEVEL, SHUFFLES = 0.1, 39
"""Quicker than the probe's own."""

SIDE = 16
CLASSES = ("LGG", "HGG", "healthy")
MakeCohort = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def make_cohort(tmp_path: Path) -> MakeCohort:
    """Brains of noise, all from one scanner; those of ``blurred`` classes from one with a softer image."""

    def make(
        counts: tuple[int, int, int] = (8, 10, 9), blurred: tuple[str, ...] = (), seed: int = 0, **sources: str
    ) -> list[dict[str, Any]]:
        random, records = np.random.default_rng(seed), []
        for grade, count in zip(CLASSES, counts, strict=True):
            for number in range(count):
                brain = 1 + random.random((1, SIDE, SIDE, SIDE))
                path = tmp_path / f"{grade}{number}.npy"
                np.save(path, (gaussian_filter(brain, 0.7) if grade in blurred else brain).astype(np.float16))
                source = sources.get(grade, "BraTS 2019")
                records.append({"subject": path.stem, "source": source, "grade": grade, "cached": str(path)})
        return records

    return make


@pytest.fixture(autouse=True)
def level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "LEVEL", LEVEL)


def look(cases: list[dict[str, Any]], seed: int = 0) -> ShortcutReport:
    return probe_sources(cases, seed=seed, shuffles=SHUFFLES)


def answers(report: ShortcutReport) -> dict[str, Any]:
    return {answer.question.name: answer for answer in report.answers}


@pytest.mark.parametrize("seed", range(2))
def test_one_scanner_is_silent(make_cohort: MakeCohort, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        report = look(make_cohort(seed=seed), seed)
    assert report.warnings == ()
    assert not report.told_by_source
    assert set(answers(report)) == {"healthy from tumour", "LGG from HGG"}
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_second_scanner_is_found_though_the_data_set_is_one(make_cohort: MakeCohort) -> None:
    report = look(make_cohort(blurred=("healthy",)))
    (warning,) = report.warnings
    assert "the sharpness" in warning
    assert "separate healthy brains from tumours: AUC" in warning
    assert "The prepared volumes still show it, in " in warning
    assert "one data set only" not in warning
    assert answers(report)["healthy from tumour"].found.alone["the sharpness"] == 1
    assert report.told_by_source


def test_healthy_brains_of_another_data_set_are_told_in_words_and_in_the_log(
    make_cohort: MakeCohort, caplog: pytest.LogCaptureFixture
) -> None:
    report = look(make_cohort(blurred=("healthy",), healthy="IXI"))
    (warning,) = report.warnings
    assert in_order(warning, "one data set only (IXI)", "the sharpness", "separate them from tumours: AUC 1.00")
    assert "the data set" not in warning.partition(")")[2]
    assert warning in caplog.text


def test_the_grades_are_judged_without_the_healthy(make_cohort: MakeCohort) -> None:
    """LGG from the softer scanner: that separates LGG from HGG, whatever the healthy brains are."""
    report = look(make_cohort((9, 10, 9), blurred=("LGG",)))
    among = answers(report)["LGG from HGG"]
    assert among.question.counts == {"HGG": 10, "LGG": 9}
    assert among.found.alone["the sharpness"] == 1
    assert any(warning.startswith("The sharpness separates LGG from HGG: AUC 1.00") for warning in among.warnings)
    clean = answers(look(make_cohort((9, 10, 9), blurred=("healthy",), healthy="IXI")))["LGG from HGG"]
    assert clean.warnings == ()


def test_two_cases_of_a_grade_are_named_and_healthy_is_judged_all_the_same(make_cohort: MakeCohort) -> None:
    report = look(make_cohort((2, 10, 6), blurred=("healthy",), healthy="IXI"))
    assert answers(report)["healthy from tumour"].question.counts == {"healthy": 6, "tumour": 12}
    assert len(report.warnings) == 1
    assert in_order(report.text(), "LGG from HGG: too few", "(10 HGG, 2 LGG)")


def test_too_few_healthy_to_be_judged_but_their_source_is_their_own(make_cohort: MakeCohort) -> None:
    report = look(make_cohort((5, 5, 3), healthy="IXI"))
    (warning,) = report.warnings
    assert in_order(warning, "one data set only (IXI). ", OF_HEALTHY)
    assert report.told_by_source


def test_what_only_a_patient_can_have_does_not_tell_the_healthy() -> None:
    """A mask and a survival time are of tumours by what they are, not of a scanner."""
    records = [
        {"subject": f"{grade}{number}", "source": "one", "grade": grade, "seg": grade != "healthy"}
        for grade in ("HGG", "healthy")
        for number in range(10)
    ]
    assert "no trait differs" in probe_shortcuts(records, shuffles=10).text()


@pytest.mark.slow
def test_false_alarms_are_as_frequent_as_the_level_says() -> None:
    """30 cohorts in which nothing predicts the label: 6 alarms are expected, and 1 to 13 in all but 1 of 300 times."""
    random, labels = np.random.default_rng(0), np.repeat(["healthy", "tumour"], [7, 12])
    alarms = 0
    for seed in range(30):
        table = pd.DataFrame(random.standard_normal((len(labels), 5)), columns=list("abcde"))
        sites = pd.DataFrame({"text": random.choice(["x", "y", "z"], len(labels))})
        alarms += probe({"numbers": table, "sites": sites}, labels, seed, 4, 0.2).beats_chance
    assert 1 <= alarms <= 13


def test_the_level_is_shared_by_the_questions(make_cohort: MakeCohort) -> None:
    found = [answer.found.level for answer in look(make_cohort()).answers]
    assert sum(found) == pytest.approx(LEVEL)


@pytest.mark.slow
def test_two_real_sources_are_told_apart(realdata: Path) -> None:
    """IXI's T1 of six and BraTS 2018's T1ce of twelve, as they lie on disk."""
    tumours = sorted((realdata / "brats18").glob("*GG/*/*_t1ce.nii.gz"))
    healthy = sorted((realdata / "ixi").glob("*_T1.nii.gz"))
    records = [
        {"subject": path.parent.name, "source": "BraTS 2018", "grade": path.parts[-3], "t1ce": str(path)}
        for path in tumours
    ]
    records += [{"subject": path.name, "source": "IXI", "grade": "healthy", "t1ce": str(path)} for path in healthy]
    report = probe_shortcuts(records)
    assert report.counts == {"HGG": 10, "LGG": 2, "healthy": 6}
    (warning,) = report.warnings
    assert warning.startswith("Healthy brains come from one data set only (IXI), and ")
    assert "the shape, the voxel spacing, the orientation" in warning
    assert voxel_traits(records) == {}
