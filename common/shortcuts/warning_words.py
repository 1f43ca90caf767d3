"""What the shortcut probe found, as warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.cohorts.datasets.registry import source_name
from common.records import HEALTHY
from common.shortcuts.classifier import Probed
from common.shortcuts.questions import Question
from common.shortcuts.traits import ADVICE, DATA_SET
from common.shortcuts.voxel_traits import INTENSITIES, VOXEL_TRAITS
from common.tasks.registry import asked_by

OF_HEALTHY = (
    "A network can learn the source and ignore the tumour: trust only how it separates tumours from one another."
)
OF_HEALTH = "healthy brains from tumours"
PLURALS = (INTENSITIES,)
"""Traits whose name is a plural."""


def warn(question: Question, found: Probed | None, own: str) -> tuple[str, ...]:
    """The warnings for one question; none where nothing beats chance.

    Args:
        question: which classes were compared.
        found: how well the traits predict its classes; ``None`` where too few patients could be compared.
        own: the data set that holds all healthy brains and no tumour; empty where there is none.
    """
    against = f"shuffled labels rarely pass {found.chance:.2f}" if found else ""
    name = OF_HEALTH if question.about_health else asked_by(question.name)
    if own:
        source = source_name(own)
        sentence = f"{HEALTHY.capitalize()} brains come from one data set only ({source}){_with(found, against)}."
        return (f"{sentence} {_of_healthy(found)}",)
    if found is None or not found.beats_chance:
        return ()
    each = _each_class(found)
    if not found.predictive:
        return (
            f"Taken together, traits that do not need the tumour {_verb(name)} {name}: AUC {found.auc:.2f}, {against}. "
            "Compare every result with this one.",
            *each,
        )
    if question.about_health:
        sentence = f"{_clause(list(found.predictive), name)}: {_reach(found.predictive, against)}."
        return (f"{_capital(sentence)} {_of_healthy(found)}",)
    of_traits = (
        _capital(f"{_clause([trait], name)}: {_reach({trait: auc}, against)}. {ADVICE[trait]}")
        for trait, auc in found.predictive.items()
    )
    return (*of_traits, *each)


def _each_class(found: Probed) -> tuple[str, ...]:
    """How well one class of several is told from all others: what is true of one can be lost in the mean of all."""
    if not found.classes:
        return ()
    areas = _list([f"{auc:.2f} for {name}" for name, auc in found.classes.items()])
    return (f"Taken together, such traits separate a class from all others: AUC {areas}.",)


def _with(found: Probed | None, against: str) -> str:
    """Which other traits separate them from tumours."""
    others = {name: auc for name, auc in found.predictive.items() if name != DATA_SET} if found else {}
    return f", and {_clause(list(others), 'them from tumours')}: {_reach(others, against)}" if others else ""


def _of_healthy(found: Probed | None) -> str:
    """What follows from it; what a prepared volume still shows is what the network can learn from."""
    seen = [name for name in found.predictive if name in VOXEL_TRAITS] if found else []
    return f"{f'The prepared volumes still show it, in {_list(seen)}. ' if seen else ''}{OF_HEALTHY}"


def _clause(names: Sequence[str], target: str) -> str:
    """``the noise predicts the grade``, ``the shape and the noise separate LGG from HGG``."""
    is_plural = len(names) > 1 or names[0] in PLURALS
    return f"{_list(names)} {_verb(target)}{'' if is_plural else 's'} {target}"


def _verb(target: str) -> str:
    return "separate" if " from " in target else "predict"


def _list(names: Sequence[str]) -> str:
    """``the shape, the noise and the sharpness``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _reach(predictive: Mapping[str, float], against: str) -> str:
    areas = sorted(f"{auc:.2f}" for auc in predictive.values())
    return f"AUC {' to '.join(dict.fromkeys((areas[0], areas[-1])))}, {against}"


def _capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"
