"""What is asked of a cohort's shortcuts: which patients stand against which."""

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
    """Which classes are to be told apart.

    Args:
        name: what would be told, in words: ``grade``, ``healthy from tumour``, ``LGG from HGG``.
        classes: the name under which each label is judged; a label that is not in it takes no part.
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
        """Whether it is healthy brains that are to be told."""
        return HEALTHY in self.counts and len(self.counts) > 1

    def why_not(self) -> str:
        """Why it cannot be answered, else empty."""
        if not self.counts:
            return "this label is not recorded."
        if len(self.counts) == 1:
            return f"there is only one class ({tell_counts(self.counts)})."
        if len(self.counts) > MOST_CLASSES:
            return f"its {len(self.counts)} values are no classes."
        if len(self.judged) < 2:
            return f"too few per class to judge ({tell_counts(self.counts)})."
        return ""


def ask(labels: Iterable[str], target: str) -> list[Question]:
    """The questions of a cohort: can its classes be told from one another?

    Where some are healthy there are two. Healthy brains often come from another source than tumours and are then told
    by anything, which would hide whether the tumours among themselves are.

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
    asked = [Question(f"{HEALTHY} from {TUMOUR}", classes, sizes)]
    if len(tumours) > 1:
        among = {label: counts[label] for label in tumours}
        asked.append(Question(" from ".join(sorted(tumours, reverse=True)), {label: label for label in tumours}, among))
    return asked


def tell_counts(counts: Mapping[str, int]) -> str:
    """``30 HGG, 15 LGG``."""
    return ", ".join(f"{count} {label}" for label, count in counts.items())
