"""What the shortcut probe found, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from common.shortcuts.classifier import Probed
from common.shortcuts.questions import Question, tell_counts


@dataclass(frozen=True)
class Answer:
    """What the probe found for one question.

    Args:
        question: which classes were compared.
        note: why there was nothing to probe, else empty.
        found: how well the traits predict its classes.
        warnings: for the user; empty where nothing beats chance.
    """

    question: Question
    note: str = ""
    found: Probed | None = None
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        """The answer in a few lines."""
        name, counts = self.question.name, self.question.judged
        if self.note:
            return f"Shortcuts to {name}: {self.note}"
        lines = [f"! {warning}" for warning in self.warnings]
        lines = lines or ["no trait predicts it better than shuffled labels do."]
        if self.question.too_small:
            lines.append(f"Left out, since too few: {tell_counts(self.question.too_small)}.")
        return "\n  ".join([f"Shortcuts to {name} ({tell_counts(counts)}):", *lines])

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers.

        Returns:
            ``question`` (its name), ``counts`` and ``too_small`` (patients per class), ``note``, the fields of
            :class:`~common.shortcuts.classifier.Probed` where there was something to probe, and ``warnings``.
        """
        return {
            "question": self.question.name,
            "counts": dict(self.question.counts),
            "too_small": self.question.too_small,
            "note": self.note,
            **(asdict(self.found) if self.found else {}),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class ShortcutReport:
    """What the probe found.

    Args:
        target: the label's key.
        counts: patients per class; patients without the label are left out.
        answers: one per question; see :func:`~common.shortcuts.questions.list_questions`.
    """

    target: str
    counts: Mapping[str, int]
    answers: tuple[Answer, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of all questions."""
        return tuple(warning for answer in self.answers for warning in answer.warnings)

    @property
    def told_by_source(self) -> bool:
        """Whether healthy brains can be separated from tumours by something other than the tumour."""
        return any(answer.warnings for answer in self.answers if answer.question.about_health)

    def text(self) -> str:
        """The report in a few lines."""
        return "\n".join(answer.text() for answer in self.answers)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers.

        Returns:
            ``target``, ``counts`` (patients per class), ``questions`` (:meth:`Answer.to_json` of each),
            ``told_by_source`` and the ``warnings`` of all questions.
        """
        return {
            "target": self.target,
            "counts": dict(self.counts),
            "questions": [answer.to_json() for answer in self.answers],
            "told_by_source": self.told_by_source,
            "warnings": list(self.warnings),
        }
