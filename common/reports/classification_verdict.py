"""What a classification shows and what it does not, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.metrics.baselines import MISSING
from common.reports.classification import with_interval

CHANCE = 0.5

RIVALLED = (
    "Which values were recorded tells the class as well as the network does: this result is no evidence that the "
    "network reads the tumour."
)
UNSEEN = (
    "Which values were recorded tells the class as well as the network does. The network is not given them, so it has "
    "not learned that; but in this cohort a table without any image does as well."
)


@dataclass(frozen=True)
class Verdict:
    """Whether something may be claimed, and why.

    Args:
        claim: the network beats chance and every baseline, on patients that it has never met.
        sentences: in the order in which they should be read.
    """

    claim: bool
    sentences: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A boolean and plain text."""
        return {"claim": self.claim, "sentences": list(self.sentences)}


def judge_evidence(summary: Mapping[str, Any]) -> Verdict:
    """Read the intervals: the AUC against chance, and against each baseline over the same drawn patients.

    A baseline is beaten where the whole 95 % interval of the difference in AUC lies above 0. A network that sees no
    clinical values cannot know which of them were recorded: that baseline then limits no claim, but is told.

    Args:
        summary: with ``measures``, ``against_baselines``, ``sees_clinical``, ``protocol`` and ``side``.
    """
    area, gains = summary["measures"]["auc"], {k: v["auc"] for k, v in summary["against_baselines"].items()}
    beaten = {name: gain for name, gain in gains.items() if _above(gain, 0)}
    unbeaten = {name: gain for name, gain in gains.items() if name not in beaten}
    foreign = summary["protocol"] == "patient" and summary["side"] == "test"
    rivals = unbeaten if summary["sees_clinical"] else unbeaten.keys() - {MISSING}
    claim = _above(area, CHANCE) and bool(gains) and not rivals and foreign
    told = [_against_chance(area)]
    if not _is_unknown(area):
        told += _against_baselines(beaten, unbeaten)
    if MISSING in unbeaten and not _is_unknown(unbeaten[MISSING]):
        told.append(RIVALLED if summary["sees_clinical"] else UNSEEN)
    if summary["protocol"] != "patient":
        told.append("Under the published protocol the network has met the patients that it is judged on.")
    elif not foreign:
        told.append(f"The {summary['side']} side is no test of it.")
    opening = (
        "The network tells the classes better than chance and than every baseline open to it."
        if claim
        else "Nothing is claimed."
    )
    return Verdict(claim, (opening, *told))


def _against_chance(area: Mapping[str, Any]) -> str:
    told = f"AUC {with_interval(area, 2)}"
    if _is_unknown(area):
        return f"{told}: these patients cannot tell it from chance (0.5)."
    if _above(area, CHANCE):
        return f"{told}: better than chance (0.5)."
    return f"{told}: the interval is not above 0.5, so nothing shows that it is better than chance."


def _against_baselines(beaten: Mapping[str, Any], unbeaten: Mapping[str, Any]) -> list[str]:
    if not beaten and not unbeaten:
        return ["There is no baseline to compare it with."]
    told = []
    if beaten:
        told.append(f"Its AUC is above that of {_list(beaten)}.")
    if unbeaten:
        told.append(f"Its AUC is not shown to be above that of {_list(unbeaten)}.")
    return told


def _list(gains: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} (difference {with_interval(gain, 2)})" for name, gain in gains.items())


def _above(values: Mapping[str, Any], bound: float) -> bool:
    return not _is_unknown(values) and values["low"] > bound


def _is_unknown(values: Mapping[str, Any]) -> bool:
    return values["low"] is None or math.isnan(values["low"])
