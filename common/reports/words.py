"""What a report calls those who were judged, by what was asked of them and by the protocol.

Everywhere but in data sets that name no patients, a patient is what a split keeps whole. There it is a group of copies,
and what patients have as scans are single images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Words:
    """The words of a page.

    Args:
        subject: what stands on one side of a split and is drawn by the bootstrap.
        subjects: several of them.
        scans: what gets an answer where a subject has several.
        case: what a class counts, and what a new one is.
        counted: key of the summary that counts the cases.
        samples: what scans are made of; the same as ``scans`` where a scan is a single sample.
        shuffled: what labels are shuffled between.
        met: what a network has met under the published protocol.
        relative: that follows a case in a sentence.
        protocols: what to add to the protocol's name.
        columns: new names of a table's columns.
    """

    subject: str = "patient"
    subjects: str = "patients"
    scans: str = "scans"
    case: str = "patient"
    counted: str = "patients"
    samples: str = "samples"
    shuffled: str = "patients"
    met: str = "the patients"
    relative: str = "whom"
    protocols: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> str:
        """Several cases."""
        return f"{self.case}s"

    def count(self, number: int) -> str:
        """``1 patient``, ``12 patients``."""
        return f"{number} {self.subject if number == 1 else self.subjects}"

    def protocol(self, name: str) -> str:
        """The protocol's name, and what it means here."""
        return f"{name}{self.protocols.get(name, '')}"

    def retell_of_subjects(self, sentence: str) -> str:
        """A sentence that was written of patients, as units of a split."""
        return sentence.replace("patients", self.subjects).replace("patient", self.subject)

    def retell_of_cases(self, sentence: str) -> str:
        """A sentence that was written of patients, as those who get an answer."""
        return sentence.replace("patient", self.case)


PATIENTS = Words()

IMAGES = Words(
    subject="image",
    subjects="images",
    scans="images",
    case="image",
    counted="scans",
    samples="images",
    shuffled="groups of copies",
    met="copies of the images",
    relative="which",
    columns={"subject": "image"},
)
"""Under the published protocol copies of an image are images as others are."""

GROUPS = replace(
    IMAGES,
    subject="group of copies",
    subjects="groups of copies",
    protocols={"patient": " (a group of copies counts as one)"},
    columns={"subject": "group of copies", "scan": "image"},
)

WORDS: Mapping[tuple[str, str], Words] = {("tumour", "patient"): GROUPS, ("tumour", "paper"): IMAGES}


def words_of(summary: Mapping[str, Any]) -> Words:
    """The words of a summary with ``target`` and ``protocol``; patients where nothing else is known."""
    return WORDS.get((str(summary.get("target")), str(summary.get("protocol"))), PATIENTS)
