from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from common.shortcuts.probe import probe_shortcuts
from tests.facts import in_order

SHUFFLES = 100


def cohort(high: int = 30, low: int = 15) -> list[dict[str, Any]]:
    """Nothing but chance: who has an age and which source it comes from do not depend on the grade."""
    random = np.random.default_rng(1)
    grades = ["HGG"] * high + ["LGG"] * low
    return [
        {
            "subject": f"P{number:03d}",
            "source": str(random.choice(["one", "two"])),
            "grade": grade,
            "age": 50.0 if random.random() < 0.6 else None,
        }
        for number, grade in enumerate(grades)
    ]


def probe(records: list[dict[str, Any]], target: str = "grade", seed: int = 0, shuffles: int = SHUFFLES) -> Any:
    return probe_shortcuts(records, target, seed, headers=False, shuffles=shuffles)


def only(report: Any) -> Any:
    """What was found for the one question of a report."""
    (answer,) = report.answers
    return answer.found


def test_a_cohort_without_a_shortcut_is_silent() -> None:
    report = probe(cohort())
    assert report.warnings == ()
    assert only(report).p_value > 0.01
    assert "no trait predicts it better" in report.text()


def test_a_planted_shortcut_is_loud_and_named_alone() -> None:
    records = [{**record, "age": 50.0 if record["grade"] == "HGG" else None} for record in cohort()]
    report = probe(records)
    assert only(report).alone["whether age is recorded"] == 1.0
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("Whether age is recorded predicts the grade: AUC 1.00")
    assert "no clinical values" in report.warnings[0]
    assert "30 HGG, 15 LGG" in report.text()


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_labels_are_silent_though_the_shortcut_is_there(seed: int) -> None:
    records = [{**record, "age": 50.0 if record["grade"] == "HGG" else None} for record in cohort()]
    grades = np.random.default_rng(seed).permutation([record["grade"] for record in records])
    report = probe([{**record, "grade": str(grade)} for record, grade in zip(records, grades, strict=True)])
    assert report.warnings == ()


def test_auc_of_a_known_missingness() -> None:
    """HGG has an age in 3 of 4 patients, LGG never: sensitivity .75 at specificity 1 is an AUC of .875."""
    records = cohort(40, 20)
    for number, record in enumerate(records):
        record["age"] = 50.0 if record["grade"] == "HGG" and number % 4 else None
        record["source"] = "one"
    assert only(probe(records)).alone["whether age is recorded"] == pytest.approx(0.875, abs=0.01)


def test_the_same_seed_gives_the_same_report() -> None:
    first, again, other = (probe(cohort(), seed=seed, shuffles=10) for seed in (3, 3, 4))
    assert first == again
    assert only(first).chance != only(other).chance


def test_three_classes_from_three_sources() -> None:
    classes = {"short": "a", "mid": "a", "long": "b"}
    records = [
        {"subject": f"{label}{number}", "source": source, "grade": label}
        for label, source in classes.items()
        for number in range(12)
    ]
    report = probe(records)
    assert len(report.warnings) == 2
    assert report.warnings[0].startswith("The data set predicts the grade")
    assert in_order(report.warnings[1], "from all others", "1.00 for long", "0.75 for mid", "0.75 for short")
    assert only(report).alone["the data set"] == pytest.approx((1 + 0.75 + 0.75) / 3, abs=0.01)


def pictures(stored: dict[str, tuple[tuple[int, int] | None, str, str]]) -> list[dict[str, Any]]:
    """Twenty pictures of each class, stored as told; where no size is told, all have different ones around 512."""
    return [
        {
            "subject": f"{label}{number}",
            "grade": label,
            "original_size": size or (400 + 20 * number, 380 + 25 * number),
            "stored_as": {"colour": colour, "bits": "8", "format": kind},
        }
        for label, (size, colour, kind) in stored.items()
        for number in range(20)
    ]


def test_one_class_from_another_source_is_told_though_the_others_are_alike() -> None:
    """By hand: of four classes one is told without a mistake; each other one is among three, AUC (1 + 2 * .5) / 3."""
    grey = ((512, 512), "grey", "JPEG")
    report = probe(pictures({"glioma": grey, "meningioma": grey, "pituitary": grey, "none": (None, "RGB", "PNG")}))
    found = only(report)
    expected = {"none": 1.0, **dict.fromkeys(("glioma", "meningioma", "pituitary"), 2 / 3)}
    assert found.classes == pytest.approx(expected, abs=1e-3)
    assert (
        found.alone["the colour mode"] == found.alone["the file format"] == pytest.approx((1 + 3 * 2 / 3) / 4, abs=1e-3)
    )
    assert "AUC 1.00 for none" in report.warnings[-1]
    assert any(warning.startswith("The colour mode predicts the grade: AUC 0.75") for warning in report.warnings)


def test_one_size_amid_others_is_a_kind_of_its_own() -> None:
    """No line through the sizes separates them: those of the others lie on both sides of 512."""
    report = probe(pictures({"tumour": ((512, 512), "grey", "JPEG"), "none": (None, "grey", "JPEG")}))
    assert only(report).alone == {"the size of the picture": 1.0}


def test_copies_of_a_picture_do_not_tell_its_class_by_their_size() -> None:
    """Sizes of one class each by chance: with copies on both sides of a fold the size would tell the class."""
    copies = [
        {**record, "subject": f"{number}.{record['subject']}", "group": str(record["original_size"]), "grade": label}
        for number, label in enumerate("aabbabbaba" * 2)
        for record in pictures({label: ((300 + 10 * number, 400), "grey", "JPEG")})[:6]
    ]
    loose = [{key: value for key, value in record.items() if key != "group"} for record in copies]
    assert only(probe(loose)).alone == {"the size of the picture": pytest.approx(1.0, abs=0.02)}
    report = probe(copies)
    assert report.counts == {"a": 10, "b": 10}
    assert report.warnings == ()


def test_classes_are_not_asked_where_chance_predicts_as_well() -> None:
    records = [{**record, "grade": "abc"[number % 3]} for number, record in enumerate(cohort())]
    assert only(probe(records)).classes == {}


def test_a_class_too_small_to_be_judged_is_named_and_the_others_are_judged() -> None:
    records = [*cohort(), *({"subject": f"X{number}", "source": "three", "grade": "new"} for number in range(4))]
    report = probe(records)
    assert report.counts == {"HGG": 30, "LGG": 15, "new": 4}
    assert only(report).p_value == only(probe(cohort())).p_value  # the four take no part
    assert "Left out, since too few: 4 new." in report.text()
    assert report.to_json()["questions"][0]["too_small"] == {"new": 4}


def test_numbers_that_differ_in_every_patient_are_compared_as_numbers(tmp_path: Path) -> None:
    """No two spacings are equal, yet all of one class are finer than those of the other."""
    records = []
    for number in range(24):
        size = 0.8 + 0.01 * number
        path = tmp_path / f"{number}.nii"
        nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.diag([size, size, size, 1.0])).to_filename(path)
        records.append({"subject": f"P{number}", "t1": str(path), "grade": "LGG" if number < 12 else "HGG"})
    report = probe_shortcuts(records, shuffles=SHUFFLES)
    assert only(report).alone["the voxel spacing"] == 1.0
    assert report.warnings[0].startswith("The voxel spacing predicts the grade")


@pytest.mark.parametrize(
    ("high", "low", "note"),
    [
        (10, 2, "too few per class to judge (10 HGG, 2 LGG)"),
        (10, 0, "there is only one class (10 HGG)"),
        (0, 0, "this label is not recorded"),
    ],
)
def test_where_nothing_can_be_told_it_says_so(high: int, low: int, note: str) -> None:
    report = probe([*cohort(high, low), {"subject": "unlabelled", "grade": None}])
    assert note in report.text()
    assert report.warnings == ()
    assert only(report) is None


def test_values_that_are_no_classes_are_told() -> None:
    records = [{"subject": f"P{number}", "survival_days": float(number)} for number in range(40)]
    assert "40 values are not classes" in probe(records, "survival_days").text()


def test_patients_that_are_alike_in_all_are_told() -> None:
    records = [{"subject": f"P{number}", "grade": "HGG" if number % 2 else "LGG"} for number in range(20)]
    assert "no trait differs" in probe(records).text()


def test_the_report_is_plain_json() -> None:
    content = json.loads(json.dumps(probe(cohort(), shuffles=10).to_json(), allow_nan=False))
    assert content["counts"] == {"HGG": 30, "LGG": 15}
    assert content["questions"][0]["alone"].keys() == {"the data set", "whether age is recorded"}
    assert content["warnings"] == []


def test_brats_2019_gives_its_grade_away_by_the_missing_ages(realdata: Path) -> None:
    """No LGG patient has an age; most HGG patients have one: AUC .96."""
    mapping = pd.read_csv(realdata / "csv/brats2019_name_mapping.csv")
    survival = pd.read_csv(realdata / "csv/brats2019_survival_data.csv").set_index("BraTS19ID")
    records = [
        {"subject": subject, "grade": grade, "age": survival["Age"].get(subject)}
        for subject, grade in zip(mapping["BraTS_2019_subject_ID"], mapping["Grade"], strict=True)
    ]
    report = probe(records)
    assert report.counts == {"HGG": 259, "LGG": 76}
    assert only(report).alone["whether age is recorded"] == pytest.approx(0.96, abs=0.01)
    assert any(warning.startswith("Whether age is recorded predicts the grade") for warning in report.warnings)
