from __future__ import annotations

import math
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, classification_report, recall_score, roc_auc_score

from common.metrics import compare_judgements, delong_test, judge, summarise_judgement
from common.metrics.intervals import left_out
from common.metrics.intervals.bootstrap import draw_cohorts
from common.metrics.judgement import judge_cohorts
from common.metrics.measures import overall_of

GRADES = ("LGG", "HGG")
THREE = ("short", "mid", "long")


def draw(patients: int, classes: tuple[str, ...], skill: float, seed: int = 0) -> pd.DataFrame:
    """Patients of random classes whose true class is favoured by ``skill``."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(classes), patients)
    logits = rng.normal(size=(patients, len(classes)))
    logits[np.arange(patients), truth] += skill
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    columns = {f"p_{name}": shares[:, label] for label, name in enumerate(classes)}
    subjects = [f"P{number:03d}" for number in range(patients)]
    return pd.DataFrame({"subject": subjects, "truth": np.asarray(classes)[truth], **columns})


def test_two_classes_by_hand() -> None:
    """HGG of five patients: .9, .4 and .8 are HGG, .7 and .2 LGG."""
    of_hgg = np.array([0.9, 0.4, 0.8, 0.7, 0.2])
    found = judge(np.array([1, 1, 1, 0, 0]), np.stack([1 - of_hgg, of_hgg], axis=1), GRADES)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert (found["precision_HGG"], found["recall_HGG"]) == pytest.approx((2 / 3, 2 / 3))
    assert (found["precision_LGG"], found["recall_LGG"]) == pytest.approx((1 / 2, 1 / 2))
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["weighted_f1"] == pytest.approx((3 * 2 / 3 + 2 * 1 / 2) / 5)
    assert (found["specificity_HGG"], found["specificity_LGG"]) == pytest.approx((1 / 2, 2 / 3))
    assert found["macro_recall"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["auc"] == found["auc_HGG"] == pytest.approx(5 / 6)  # of six pairs, only .4 < .7 is out of order


def test_three_classes_agree_with_scikit_learn() -> None:
    rows = draw(60, THREE, skill=1)
    truth = rows["truth"].map({name: label for label, name in enumerate(THREE)}).to_numpy()
    shares = rows[[f"p_{name}" for name in THREE]].to_numpy()
    found = judge(truth, shares, THREE)
    report = classification_report(truth, shares.argmax(axis=1), target_names=THREE, output_dict=True)
    assert found["f1_mid"] == pytest.approx(report["mid"]["f1-score"])
    assert found["weighted_f1"] == pytest.approx(report["weighted avg"]["f1-score"])
    assert found["specificity_mid"] == pytest.approx(recall_score(truth != 1, shares.argmax(axis=1) != 1))
    assert found["macro_precision"] == pytest.approx(report["macro avg"]["precision"])
    assert found["macro_recall"] == pytest.approx(balanced_accuracy_score(truth, shares.argmax(axis=1)))
    assert found["auc"] == pytest.approx(np.mean([found[f"auc_{name}"] for name in THREE]))


def test_what_is_undefined_is_nan_without_a_warning() -> None:
    """Nobody is long, nobody is called mid: of long there is no recall, of mid no precision."""
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judge(np.array([0, 0, 1]), shares, THREE)
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined == {"precision_mid", "recall_long", "f1_long", "auc_long"}
    assert found["precision_long"] == 0
    assert found["macro_precision"] == pytest.approx((1 / 2 + 0) / 2)  # of short and mid, whom somebody is
    assert found["macro_recall"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["auc"] == pytest.approx((found["auc_short"] + found["auc_mid"]) / 2)


def test_one_class_alone_has_no_auc() -> None:
    found = judge(np.array([1, 1]), np.array([[0.3, 0.7], [0.6, 0.4]]), GRADES)
    assert math.isnan(found["auc"])
    assert found["accuracy"] == found["macro_recall"] == 0.5


@pytest.mark.parametrize("classes", [GRADES, THREE])
def test_a_drawn_cohort_is_judged_as_its_rows_written_out(classes: tuple[str, ...]) -> None:
    rows = draw(12, classes, skill=1).round(1)  # rounded, so that there are ties
    truth = rows["truth"].map({name: label for label, name in enumerate(classes)}).to_numpy()
    shares = rows[[f"p_{name}" for name in classes]].to_numpy()
    counts = draw_cohorts(rows["subject"], resamples=40)
    drawn = judge_cohorts(truth, shares, classes, counts)
    for number, times in enumerate(counts.astype(int)):
        written_out = np.repeat(np.arange(12), times)
        expected = judge(truth[written_out], shares[written_out], classes)
        assert {name: values[number] for name, values in drawn.items()} == pytest.approx(expected, nan_ok=True)


def test_the_area_of_drawn_cohorts_agrees_with_scikit_learn() -> None:
    """With ties, and rows that are drawn several times or not at all."""
    rows = draw(30, GRADES, skill=1).round(1)
    truth, shares = (rows["truth"] == "HGG").to_numpy(int), rows[["p_LGG", "p_HGG"]].to_numpy()
    counts = draw_cohorts(rows["subject"], resamples=20)
    drawn = judge_cohorts(truth, shares, GRADES, counts)["auc"]
    expected = [roc_auc_score(truth, shares[:, 1], sample_weight=times) for times in counts]
    assert drawn == pytest.approx(expected)
    assert len(np.unique(shares[:, 1])) < 30


def test_the_interval_of_an_accuracy_is_that_of_theory() -> None:
    """Of 369 patients a share of p has a standard error of sqrt(p (1 - p) / 369)."""
    rows = draw(369, GRADES, skill=1)
    found = summarise_judgement(rows, GRADES)["accuracy"]
    width = 2 * 1.96 * math.sqrt(found["mean"] * (1 - found["mean"]) / 369)
    assert found["high"] - found["low"] == pytest.approx(width, rel=0.1)
    assert found["low"] < found["mean"] < found["high"]
    assert found["n"] == 369


def test_scans_of_a_patient_are_drawn_together() -> None:
    """Four copies of every patient tell nothing more: neither the intervals nor the number of patients change."""
    rows = draw(40, GRADES, skill=1)
    once, often = summarise_judgement(rows, GRADES), summarise_judgement(pd.concat([rows] * 4), GRADES)
    assert once["accuracy"] == pytest.approx(often["accuracy"])
    assert once["auc"] == pytest.approx(often["auc"])


def test_one_patient_has_no_interval() -> None:
    found = summarise_judgement(draw(1, GRADES, skill=1), GRADES)
    assert not math.isnan(found["accuracy"]["mean"])
    assert math.isnan(found["accuracy"]["low"])
    assert found["auc"]["n"] == 0


def test_the_order_does_not_matter() -> None:
    rows = draw(30, THREE, skill=1)
    shuffled = rows.sample(frac=1, random_state=1)
    first = summarise_judgement(rows, THREE)
    for name, again in summarise_judgement(shuffled, THREE).items():
        assert again == pytest.approx(first[name], nan_ok=True)


def test_a_paired_difference_is_surer_than_its_parts() -> None:
    """Against itself the difference is 0 in every cohort; against chance it is the AUC less one half, as DeLong's."""
    rows = draw(60, GRADES, skill=2)
    own = rows[["p_LGG", "p_HGG"]].to_numpy()
    found = compare_judgements(rows, {"itself": own, "chance": np.full((60, 2), 0.5)}, GRADES)
    assert found["itself"]["auc"] == {"mean": 0, "low": 0, "high": 0, "n": 60}
    area = summarise_judgement(rows, GRADES)["auc"]
    assert found["chance"]["auc"]["mean"] == pytest.approx(area["mean"] - 0.5)
    error = delong_test((rows["truth"] == "HGG").to_numpy(), own[:, 1]).error
    half = (found["chance"]["auc"]["high"] - found["chance"]["auc"]["low"]) / 2
    assert 1.96 * error < half < 2.2 * error


def test_of_two_classes_the_second_is_the_one_to_be_found() -> None:
    """Two of three with it are found, one of two without it is let go."""
    of_second = np.array([0.9, 0.8, 0.1, 0.7, 0.2])
    probabilities = np.stack([1 - of_second, of_second], axis=1)
    found = judge(np.array([1, 1, 1, 0, 0]), probabilities, ("none", "tumour"))
    assert (found["sensitivity"], found["specificity"]) == (pytest.approx(2 / 3), 1 / 2)
    assert (found["recall_tumour"], found["recall_none"]) == (found["sensitivity"], found["specificity"])
    assert [measure.name for measure in overall_of(("none", "tumour"))[-2:]] == ["sensitivity", "specificity"]
    three = judge(np.array([0, 1, 2]), np.eye(3), ("a", "b", "c"))
    assert "sensitivity" not in three
    assert {measure.name for measure in overall_of("abc")} < set(three)


def test_where_all_are_right_the_bound_is_that_of_a_binomial_share() -> None:
    """Clopper and Pearson: of n of n the lower bound is .025 ** (1 / n); an AUC of 1 depends on the rarer class."""
    of_second = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.01])
    truth = np.array(["HGG"] * 4 + ["LGG"] * 6)
    names = [f"P{number}" for number in range(10)]
    rows = pd.DataFrame({"subject": names, "truth": truth, "p_LGG": 1 - of_second, "p_HGG": of_second})
    found = summarise_judgement(rows, GRADES)
    patients = {"accuracy": 10, "recall_HGG": 4, "specificity_HGG": 6, "auc": 4, "macro_f1": 4, "precision_LGG": 6}
    for name, count in patients.items():
        assert found[name]["low"] == pytest.approx(0.025 ** (1 / count)), name
        assert found[name]["high"] == 1


def test_a_class_of_one_patient_gives_no_interval_to_what_depends_on_it() -> None:
    rows = draw(12, GRADES, skill=1).assign(truth=["HGG"] + ["LGG"] * 11)
    found = summarise_judgement(rows, GRADES)
    unknown = {name for name, value in found.items() if math.isnan(value["low"]) and not math.isnan(value["mean"])}
    assert {"auc", "macro_f1", "macro_recall", "sensitivity", "recall_HGG", "specificity_LGG"} <= unknown
    assert not {"accuracy", "specificity", "recall_LGG"} & unknown


def test_many_rows_do_not_take_memory_for_all_cohorts_at_once() -> None:
    """P5's training side has 30,000 slices of 470 patients: the counts of 470 cohorts alone are 113 MB, four times as
    much as is held now."""
    patients, slices = 470, 64
    rows = draw(patients, GRADES, skill=0.3).loc[np.repeat(np.arange(patients), slices)].reset_index(drop=True)
    rows["p_HGG"] = np.random.default_rng(1).random(len(rows))
    rows["p_LGG"] = 1 - rows["p_HGG"]
    tracemalloc.start()
    found = summarise_judgement(rows, GRADES)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert largest < 200e6  # 568 MB where all are judged at once
    assert found["accuracy"]["low"] < found["accuracy"]["mean"] < found["accuracy"]["high"]


def test_blocks_of_cohorts_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = draw(40, THREE, skill=1)
    whole = summarise_judgement(rows, THREE)
    monkeypatch.setattr(left_out, "LARGEST_BLOCK", 7 * 40)  # seven cohorts at a time, six in the last block
    in_blocks = summarise_judgement(rows, THREE)
    for name, values in whole.items():
        assert in_blocks[name] == pytest.approx(values, nan_ok=True), name
