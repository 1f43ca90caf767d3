"""The questions of the shortcut probe: which groups of patients are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from common.records import HEALTHY

FEWEST_PER_CLASS = 5
MOST_CLASSES = 10
TUMOUR = "tumour"


@dataclass(frozen=True)
class Question:
    """Which classes are compared.

    Args:
        name: what would be predicted, in words: ``grade``, ``healthy from tumour``, ``LGG from HGG``.
        classes: the class of each label; a label that is not in it takes no part.
        counts: patients in each of these classes.
    """

    name: str
    classes: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def judged(self) -> dict[str, int]:
        """The classes that are large enough."""
        return {name: count for name, count in self.counts.items() if count >= FEWEST_PER_CLASS}

    @property
    def too_small(self) -> dict[str, int]:
        """The other classes."""
        return {name: count for name, count in self.counts.items() if count < FEWEST_PER_CLASS}

    @property
    def about_health(self) -> bool:
        """Whether it compares healthy brains with tumours."""
        return HEALTHY in self.counts and len(self.counts) > 1

    def why_not(self) -> str:
        """Why it cannot be answered, else empty."""
        if not self.counts:
            return "this label is not recorded."
        if len(self.counts) == 1:
            return f"there is only one class ({tell_counts(self.counts)})."
        if len(self.counts) > MOST_CLASSES:
            return f"its {len(self.counts)} values are not classes."
        if len(self.judged) < 2:
            return f"too few per class to judge ({tell_counts(self.counts)})."
        return ""


def list_questions(labels: Iterable[str], target: str) -> list[Question]:
    """The questions of a cohort: can its classes be predicted without the tumour?

    There are two where some people are healthy. Healthy brains often come from another source than tumours. Many
    traits then separate them, which would hide whether any trait separates the tumours from each other.

    Args:
        labels: of the patients.
        target: the label's key.
    """
    counts = dict(sorted(Counter(labels).items()))
    tumours = [label for label in counts if label != HEALTHY]
    if HEALTHY not in counts or not tumours:
        return [Question(target, {label: label for label in counts}, counts)]
    classes = {**dict.fromkeys(tumours, TUMOUR), HEALTHY: HEALTHY}
    sizes = {HEALTHY: counts[HEALTHY], TUMOUR: sum(counts[label] for label in tumours)}
    questions = [Question(f"{HEALTHY} from {TUMOUR}", classes, sizes)]
    if len(tumours) > 1:
        among = {label: counts[label] for label in tumours}
        questions.append(
            Question(" from ".join(sorted(tumours, reverse=True)), {label: label for label in tumours}, among)
        )
    return questions


def tell_counts(counts: Mapping[str, int]) -> str:
    """``30 HGG, 15 LGG``, and of labels that are numbers ``5 of class 0``."""
    return ", ".join(f"{count} {'of class ' * label.isdigit()}{label}" for label, count in counts.items())
