"""What the shortcut probe found, as warnings."""

from __future__ import annotations

from collections.abc import Sequence

from common.cohorts.records import HEALTHY
from common.splits.probe import Probed
from common.splits.questions import Question
from common.splits.traces import ADVICE, DATA_SET
from common.splits.voxel_traces import VOXEL_TRACES

OF_HEALTHY = "A network can learn the source and never look for a tumour: believe what it tells of tumours alone."


def warn(question: Question, found: Probed | None, own: str) -> tuple[str, ...]:
    """What to tell the person; nothing where nothing beats chance.

    Args:
        question: that was asked.
        found: how well the traces tell its classes; ``None`` where too few patients could be asked.
        own: the data set that healthy brains have to themselves; empty where there is none.
    """
    against = f"shuffled labels rarely pass {found.chance:.2f}" if found else ""
    if own:
        return (f"{HEALTHY} comes from one data set only ({own}){_with(found, against)}. {_of_healthy(found)}",)
    if found is None or not found.beats_chance:
        return ()
    if not found.telling:
        return (
            f"What is known without the tumour tells {question.name} when taken together: AUC {found.auc:.2f}, "
            f"{against}. Compare every result with this one.",
        )
    if question.about_health:
        listed, verb = _list(list(found.telling))
        return (
            f"{listed[0].upper()}{listed[1:]} {verb} {question.name}: {_reach(found, against)}. {_of_healthy(found)}",
        )
    return tuple(
        f"{name[0].upper()}{name[1:]} tells {question.name}: AUC {auc:.2f}, {against}. {ADVICE[name]}"
        for name, auc in found.telling.items()
    )


def _with(found: Probed | None, against: str) -> str:
    """By what else a source is told."""
    others = [name for name in found.telling if name != DATA_SET] if found else []
    if not found or not others:
        return ""
    return ", and {} {} it: {}".format(*_list(others), _reach(found, against))


def _of_healthy(found: Probed | None) -> str:
    """What follows from it; what a prepared volume still shows is what the network can learn from."""
    seen = [name for name in found.telling if name in VOXEL_TRACES] if found else []
    return f"{f'Prepared volumes still show it ({_list(seen)[0]}). ' if seen else ''}{OF_HEALTHY}"


def _list(names: Sequence[str]) -> tuple[str, str]:
    """``the shape, the noise and the sharpness``, and the verb."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))), "tells" if len(names) == 1 else "tell"


def _reach(found: Probed, against: str) -> str:
    areas = sorted(f"{auc:.2f}" for auc in found.telling.values())
    return f"AUC {' to '.join(dict.fromkeys((areas[0], areas[-1])))}, {against}"
