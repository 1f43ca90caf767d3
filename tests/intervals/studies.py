"""What is asked of each simulated cohort: does the interval hold the true value, and what p-value does a test give?

The functions are those of the reports. An answer is 1 where the interval holds the true value, 0 where it does not, NaN
where there is no interval; or a p-value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from common.metrics.intervals.bootstrap import summarise
from common.metrics.intervals.delong import chance_interval, delong_test
from common.metrics.judgement import compare_judgements, summarise_judgement
from common.metrics.survival_measures import concordance_index, summarise_survival
from common.metrics.t_tests import compare_folds, corrected_resampled_t, paired_t
from common.shortcuts.probe import probe_shortcuts
from tests.intervals.cohorts import CLASSES, Classifier, Survivors, TwoClassifiers, Volumes

SIZES = (20, 60, 300)
NAIVE = "naive "
"""Before a measure whose interval takes each scan for a patient."""

Answers = dict[str, float]


@dataclass(frozen=True)
class Study:
    """A setting in which cohorts are drawn.

    Args:
        kind: which table it belongs to.
        setting: in words, under the headings of the table.
        ask: the answers of one cohort.
        cohorts: how many are drawn of the thousand that are wanted, where one takes long.
    """

    kind: str
    setting: Mapping[str, str]
    ask: Callable[[np.random.Generator], Answers]
    cohorts: float = 1.0

    @property
    def name(self) -> str:
        """Unique among the studies."""
        return ", ".join([self.kind, *self.setting.values()])

    def answer(self, cohorts: int, seed: int) -> dict[str, list[float | None]]:
        """Ask many cohorts.

        Args:
            cohorts: how many are wanted.
            seed: of the cohorts; each study draws its own.

        Returns:
            By question one answer of each cohort, ``None`` where there is none.
        """
        random = np.random.default_rng([seed, *self.name.encode()])
        asked = [self.ask(random) for _ in range(round(cohorts * self.cohorts))]
        return {name: [None if np.isnan(one[name]) else one[name] for one in asked] for name in asked[0]}


def holds(found: Mapping[str, float], truth: float) -> float:
    """1 where the interval holds the truth, NaN where there is none."""
    return float("nan") if np.isnan(found["low"]) else float(found["low"] <= truth <= found["high"])


def judge_classifier(model: Classifier, random: np.random.Generator) -> Answers:
    """Accuracy, F1, AUC and sensitivity; of several scans in some settings also as if each were a patient."""
    rows, truth = model.draw(random), model.truth()
    measured = summarise_judgement(rows, CLASSES)
    answers = {name: holds(measured[name], value) for name, value in truth.items()}
    if model.several and model.patients < max(SIZES) and model.share == 0.5:
        naive = summarise_judgement(rows.assign(subject=np.char.mod("%05d", np.arange(len(rows)))), CLASSES)
        answers |= {f"{NAIVE}{name}": holds(naive[name], truth[name]) for name in ("accuracy", "auc")}
    return answers


def compare_classifiers(model: TwoClassifiers, random: np.random.Generator) -> Answers:
    """The paired difference of two AUC."""
    rows, other = model.draw(random)
    found = compare_judgements(rows, {"other": other}, CLASSES)["other"]["auc"]
    return {"difference": holds(found, model.areas[0] - model.areas[1])}


def judge_volumes(model: Volumes, random: np.random.Generator) -> Answers:
    """The mean of each measure over patients."""
    rows, seed, truth = model.draw(random), int(random.integers(1 << 31)), model.truth()
    return {name: holds(summarise(rows[name], seed), truth[name]) for name in rows}


def judge_survivors(model: Survivors, random: np.random.Generator) -> Answers:
    """Harrell's concordance index, whose true value is that of very many patients under the same censoring."""
    found = summarise_survival(model.draw(random))["concordance"]
    return {"concordance": holds(found, true_concordance(model.strength))}


@cache
def true_concordance(strength: float) -> float:
    """The mean of 500 cohorts of 300 patients; its standard error is about .001."""
    random = np.random.default_rng(7)
    cohorts = (Survivors(300, strength).draw(random) for _ in range(500))
    return float(np.mean([concordance_index(c["days"], ~c["alive"], -c["predicted_days"]) for c in cohorts]))


def test_chance(model: Classifier, random: np.random.Generator) -> Answers:
    """DeLong's p-value of a classifier that knows nothing, and whether its AUC lies among 95 % of chance results."""
    rows = model.draw(random)
    truth = (rows["truth"] == CLASSES[1]).to_numpy()
    tested = delong_test(truth, rows["p_B"].to_numpy(), rows["subject"])
    low, high = chance_interval(truth, 0.95)
    return {"DeLong's test": tested.p_value, "range of chance": holds({"low": low, "high": high}, tested.area)}


def compare_over_splits(cases: int, random: np.random.Generator) -> Answers:
    """The t-tests of two classifiers that are equally good: each sees another five of ten equal features.

    Over five folds, and over 20 random splits that judge a fifth of the cases and train on the others.
    """
    truth = np.arange(cases) % 2
    features = random.normal(size=(cases, 10)) + 0.5 * truth[:, None]

    def judge(splits: Sequence[np.ndarray]) -> list[list[float]]:
        return [[_accuracy(features[:, seen], truth, split) for split in splits] for seen in FEATURES]

    fold_of = random.permutation(cases) % 5
    folds = judge([fold_of == fold for fold in range(5)])
    splits = judge([random.permutation(cases) % 5 == 0 for _ in range(20)])
    tests = {f"{name}, 5 folds": test for name, test in compare_folds(*folds).items()}
    tests["paired t, 20 splits"] = paired_t(*splits)
    tests["corrected resampled t, 20 splits"] = corrected_resampled_t(*splits, test_to_train=1 / 4)
    return {name: 1.0 if np.isnan(test.p_value) else test.p_value for name, test in tests.items()}


FEATURES = (slice(0, 5), slice(5, 10))


def _accuracy(features: np.ndarray, truth: np.ndarray, judged: np.ndarray) -> float:
    """Of the class whose mean is nearer."""
    means = [features[~judged & (truth == label)].mean(axis=0) for label in (0, 1)]
    far = [((features[judged] - mean) ** 2).sum(axis=1) for mean in means]
    return float(np.mean((far[1] < far[0]) == truth[judged]))


def probe_nothing(patients: int, random: np.random.Generator) -> Answers:
    """The shortcut probe's p-value where no trait has to do with the label."""
    records = [
        {
            "subject": f"{number:04d}",
            "source": str(random.choice(["one", "two"])),
            "grade": str(random.choice(["HGG", "LGG"])),
            "age": float(random.normal(60, 10)) if random.random() < 0.7 else None,
            "resection": "GTR" if random.random() < 0.5 else None,
        }
        for number in range(patients)
    ]
    found = probe_shortcuts(records, "grade", int(random.integers(1 << 31)), headers=False)
    return {"shortcut probe": found.answers[0].found.p_value, "alarm": float(bool(found.warnings))}


def list_studies() -> list[Study]:
    """All settings."""
    found = []
    for patients in SIZES:
        count = {"patients": str(patients)}
        for several in (False, True):
            scans = {"scans": "1 to 5" if several else "1"}
            for share in (0.5, 0.1):
                for area in (0.5, 0.7, 0.95):
                    model = Classifier(patients, area, share, several)
                    setting = {**count, **scans, "rarer class": f"{share:.0%}", "AUC": f"{area:.2f}"}
                    found.append(Study("classification", setting, partial(judge_classifier, model)))
            for failing in (0, 0.07):
                volumes = Volumes(patients, failing, several)
                setting = {**count, **scans, "failures": f"{failing:.0%}"}
                found.append(Study("Dice", setting, partial(judge_volumes, volumes)))
        for strength in (0.0, 0.7, 2.0):
            setting = {**count, "C-index": f"{true_concordance(strength):.2f}"}
            found.append(Study("survival", setting, partial(judge_survivors, Survivors(patients, strength))))
        for areas in ((0.7, 0.7), (0.9, 0.9), (0.95, 0.7)):
            setting = {**count, "AUC": f"{areas[0]:.2f} and {areas[1]:.2f}"}
            found.append(Study("difference", setting, partial(compare_classifiers, TwoClassifiers(patients, areas))))
        for share in (0.5, 0.1):
            setting = {**count, "of": f"rarer class {share:.0%}"}
            found.append(Study("tests", setting, partial(test_chance, Classifier(patients, 0.5, share))))
        if patients >= 60:
            setting = {**count, "of": "two equal classifiers"}
            found.append(Study("tests", setting, partial(compare_over_splits, patients)))
    probed = {"patients": "60", "of": "two sources, missing values"}
    found.append(Study("tests", probed, partial(probe_nothing, 60), cohorts=0.4))
    return found
