"""What the shortcut probe found, as warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.cohorts.datasets.registry import source_name
from common.records import HEALTHY
from common.shortcuts.classifier import Probed
from common.shortcuts.questions import Question
from common.shortcuts.traits import ADVICE, DATA_SET
from common.shortcuts.voxel_traits import INTENSITIES, VOXEL_TRAITS

OF_HEALTHY = (
    "A network can learn the source and never look for a tumour: believe only how it tells tumours from one another."
)
PLURALS = (INTENSITIES,)
"""Traces whose verb is of the plural."""

TOLD = {
    "grade": "the grade",
    "label": "the class",
    "class": "the class",
    "mgmt": "the MGMT status",
    "MGMT status": "the MGMT status",
    "tumour": "tumour from none",
    "healthy from tumour": "healthy brains from tumours",
}
"""Questions as objects of *tell*, where their names are none."""


def warn(question: Question, found: Probed | None, own: str) -> tuple[str, ...]:
    """What to tell the person; nothing where nothing beats chance.

    Args:
        question: that was asked.
        found: how well the traces tell its classes; ``None`` where too few patients could be asked.
        own: the data set that healthy brains have to themselves; empty where there is none.
    """
    against = f"shuffled labels rarely pass {found.chance:.2f}" if found else ""
    name = TOLD.get(question.name, question.name)
    if own:
        source = source_name(own)
        told = f"{HEALTHY.capitalize()} brains come from one data set only ({source}){_with(found, against)}."
        return (f"{told} {_of_healthy(found)}",)
    if found is None or not found.beats_chance:
        return ()
    if not found.telling:
        return (
            f"Taken together, what is known without a look at the tumour tells {name}: AUC {found.auc:.2f}, {against}. "
            "Compare every result with this one.",
        )
    if question.about_health:
        told = f"{_tell(list(found.telling))} {name}: {_reach(found.telling, against)}."
        return (f"{_capital(told)} {_of_healthy(found)}",)
    return tuple(
        _capital(f"{_tell([trace])} {name}: {_reach({trace: auc}, against)}. {ADVICE[trace]}")
        for trace, auc in found.telling.items()
    )


def _with(found: Probed | None, against: str) -> str:
    """By what else they are told."""
    others = {name: auc for name, auc in found.telling.items() if name != DATA_SET} if found else {}
    return f", and {_tell(list(others))} them from tumours: {_reach(others, against)}" if others else ""


def _of_healthy(found: Probed | None) -> str:
    """What follows from it; what a prepared volume still shows is what the network can learn from."""
    seen = [name for name in found.telling if name in VOXEL_TRAITS] if found else []
    return f"{f'The prepared volumes still show it, in {_list(seen)}. ' if seen else ''}{OF_HEALTHY}"


def _tell(names: Sequence[str]) -> str:
    """``the noise tells``, ``the intensities tell``, ``the shape and the noise tell``."""
    return f"{_list(names)} {'tell' if len(names) > 1 or names[0] in PLURALS else 'tells'}"


def _list(names: Sequence[str]) -> str:
    """``the shape, the noise and the sharpness``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _reach(telling: Mapping[str, float], against: str) -> str:
    areas = sorted(f"{auc:.2f}" for auc in telling.values())
    return f"AUC {' to '.join(dict.fromkeys((areas[0], areas[-1])))}, {against}"


def _capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"
