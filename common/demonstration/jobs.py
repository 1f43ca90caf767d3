"""What the demo trains: a job for every bundle, and the cohorts of phantoms that the jobs need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cohort:
    """A cohort of phantoms; the fields are options of ``make_phantoms.py``.

    Args:
        name: of its folder.
        layout: of ``make_phantoms.py``.
        patients: how many.
        shape: voxels of a volume.
        options: further options of ``make_phantoms.py``.
        is_checked: whether ``check_dataset.py`` runs on it.
    """

    name: str
    layout: str
    patients: int
    shape: tuple[str, str, str]
    options: tuple[str, ...] = ()
    is_checked: bool = True


@dataclass(frozen=True)
class Job:
    """A network that is trained, judged and applied.

    Args:
        bundle: name of its folder.
        cohort: that it is trained on.
        train: its training config.
        inference: its inference config.
        knobs: of training, evaluation and, where they are known there, inference.
        learning: of training alone.
        applying: of inference alone.
        healthy: a second cohort, of people without a tumour.
        allowed: what the rule of the phantoms allows, in words.
    """

    bundle: str
    cohort: Cohort
    train: str
    inference: str
    knobs: Mapping[str, str]
    learning: Mapping[str, str]
    applying: Mapping[str, str] = field(default_factory=dict)
    healthy: Cohort | None = None
    allowed: Callable[[], str] = str


def cohorts_of(jobs: list[Job]) -> list[Cohort]:
    """What the jobs need, each once."""
    return [*dict.fromkeys(cohort for job in jobs for cohort in (job.cohort, job.healthy) if cohort)]
