"""The shortcut probe: what tells the label without the tumour?

A network finds such a thing sooner than a radiologist's sign: that no low-grade patient of BraTS has an age, that all
healthy brains come from one scanner. A patient split does not stop it, so a small classifier looks for it: a logistic
regression on the traces of :mod:`common.splits.traces`, judged by cross-validated AUC against the AUC that it reaches
when the labels are shuffled between patients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, cross_val_score, permutation_test_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from common.cohorts.records import Record
from common.splits.traces import ADVICE, find_traces

FEWEST_PER_CLASS = 5
MOST_CLASSES = 10
SHUFFLES = 200
FOLDS = 3
REPEATS = 3
LEVEL = 0.01
SCORING = "roc_auc_ovr"


@dataclass(frozen=True)
class ShortcutReport:
    """What the probe found.

    Args:
        target: the label's key.
        counts: patients per class; patients without the label are left out.
        note: why there was nothing to probe, else empty.
        auc: cross-validated AUC of all traces together (one-vs-rest macro for more than two classes).
        chance: the AUC that only 1 % of the label shuffles exceed.
        p_value: share of label shuffles that reach ``auc``.
        alone: the cross-validated AUC of each trace alone, highest first.
        warnings: what to tell the person; empty where nothing beats chance.
    """

    target: str
    counts: Mapping[str, int]
    note: str = ""
    auc: float | None = None
    chance: float | None = None
    p_value: float | None = None
    alone: Mapping[str, float] | None = None
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        """The report in a few lines."""
        if self.note:
            return f"Shortcuts to {self.target}: {self.note}"
        found = "\n".join(f"  ! {warning}" for warning in self.warnings)
        verdict = found or "  nothing that was looked at tells it better than shuffled labels do."
        return f"Shortcuts to {self.target} ({_count(self.counts)}):\n{verdict}"

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        return {**asdict(self), "warnings": list(self.warnings)}


def probe_shortcuts(
    records: Sequence[Record], target: str = "grade", seed: int = 0, headers: bool = True, shuffles: int = SHUFFLES
) -> ShortcutReport:
    """Look for what tells the label without the tumour; no voxel is read.

    Args:
        records: the cohort; of a patient's scans the first is looked at.
        target: the label's key; a record without it is left out.
        seed: of the folds and of the shuffles.
        headers: read the images' headers; ``False`` looks at the records alone.
        shuffles: how often the labels are shuffled; the least p-value is 1 / (shuffles + 1).

    Raises:
        DatasetError: an image's header cannot be read.
    """
    patients = {record["subject"]: record for record in reversed(records)}
    labelled = [record for record in reversed(patients.values()) if not pd.isna(record.get(target))]
    labels = np.array([str(record[target]) for record in labelled])
    counts = {str(label): count for label, count in sorted(Counter(labels.tolist()).items())}
    note = _why_not(counts)
    if note:
        return ShortcutReport(target, counts, note)
    traces = find_traces(labelled, target, headers)
    if not traces:
        return ShortcutReport(target, counts, "all patients are alike in everything that was looked at.")
    return _probe(target, counts, traces, labels, seed, shuffles)


def _why_not(counts: Mapping[str, int]) -> str:
    if not counts:
        return "no patient has this label."
    if len(counts) == 1:
        return f"all patients are of one class ({_count(counts)})."
    if len(counts) > MOST_CLASSES:
        return f"its {len(counts)} values are no classes."
    if min(counts.values()) < FEWEST_PER_CLASS:
        return f"too few patients per class to tell ({_count(counts)})."
    return ""


def _probe(
    target: str,
    counts: Mapping[str, int],
    traces: Mapping[str, pd.DataFrame],
    labels: np.ndarray,
    seed: int,
    shuffles: int,
) -> ShortcutReport:
    encoded = {name: _encode(table) for name, table in traces.items()}
    classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
    together = np.hstack(list(encoded.values()))
    auc, shuffled, p_value = permutation_test_score(
        classifier,
        together,
        labels,
        scoring=SCORING,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
        n_permutations=shuffles,
        random_state=seed,
    )
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    alone = {
        name: float(cross_val_score(classifier, table, labels, scoring=SCORING, cv=folds).mean())
        for name, table in encoded.items()
    }
    chance = float(np.quantile(shuffled, 1 - LEVEL))
    ranked = dict(sorted(alone.items(), key=lambda item: -item[1]))
    warnings = _warn(target, float(auc), chance, ranked) if p_value <= LEVEL else ()
    return ShortcutReport(target, counts, "", float(auc), chance, float(p_value), ranked, warnings)


def _encode(table: pd.DataFrame) -> np.ndarray:
    """Categories as 0 and 1, numbers standardised. It sees no label, so it may see all patients."""
    categories = OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    is_number = make_column_selector(dtype_include="number")
    is_category = make_column_selector(dtype_exclude="number")
    return make_column_transformer((categories, is_category), (numbers, is_number)).fit_transform(table)


def _warn(target: str, auc: float, chance: float, alone: Mapping[str, float]) -> tuple[str, ...]:
    against = f"shuffled labels rarely pass {chance:.2f}"
    telling = [name for name, value in alone.items() if value > chance]
    if not telling:
        return (
            f"What is known without the tumour tells {target} when taken together: AUC {auc:.2f}, {against}. "
            "Compare every result with this one.",
        )
    return tuple(
        f"{name[0].upper()}{name[1:]} tells {target}: AUC {alone[name]:.2f}, {against}. {ADVICE[name]}"
        for name in telling
    )


def _count(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {label}" for label, count in counts.items())
