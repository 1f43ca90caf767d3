"""The nouns of a report for what was judged: patients, images or groups of copies.

In most data sets a split is over patients. Where a data set names no patients, it is over groups of copies, and a group
has images as a patient has scans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Nouns:
    """The nouns of a page.

    Args:
        subject: the unit of the split and of the bootstrap.
        subjects: several of them.
        case: what is counted in a class.
        counted: key of the summary that counts the cases.
        scans: what gets a prediction where a subject has several.
        samples: what scans are made of; the same as ``scans`` where a scan is a single sample.
        shuffled: the units between which labels are shuffled.
        shared: what is on both sides of a published split.
        trained_on: the part of the test side that is also trained on in the paper's split.
        columns: new names of a table's columns.
    """

    subject: str = "patient"
    subjects: str = "patients"
    case: str = "patient"
    counted: str = "patients"
    scans: str = "scans"
    samples: str = "samples"
    shuffled: str = "patients"
    shared: str = "slices or images of one patient"
    trained_on: str = "the patients"
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> str:
        """Several cases."""
        return f"{self.case}s"

    def count(self, number: int) -> str:
        """``1 patient``, ``12 patients``."""
        return f"{number} {self.subject if number == 1 else self.subjects}"


PATIENTS = Nouns()
