"""What a classification shows and what it does not, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.metrics.baselines import MISSING, SCAN
from common.reports.classification.summary import with_interval
from common.reports.segmentation import interval
from common.tasks.nouns import Nouns
from common.tasks.registry import task_of

CHANCE = 0.5
NOTHING = "Nothing is claimed."
SHUFFLED = "The labels were shuffled between {shuffled}: nothing here is about their disease."

NO_EVIDENCE = (
    "Which values were recorded predicts the class as well as the network does: this result is no evidence that the "
    "network uses the tumour."
)
BY_SOURCE = (
    "Healthy brains can be recognised by their source, so nothing is claimed about recognising them; what follows is "
    "about {name} on its own."
)
NO_TUMOUR = "Healthy brains can be recognised by their source, and no tumour is judged: there is nothing to claim."
NOT_AN_INPUT = (
    "Which values were recorded predicts the class as well as the network does. The network is not given them, so it "
    "cannot have learned that; but in this cohort a table without any image does as well."
)
BY_SCAN = (
    "Properties of the scan predict the class as well as the network does, without the tumour: this result is no "
    "evidence that the network uses the tumour."
)


@dataclass(frozen=True)
class Verdict:
    """Whether something may be claimed, and why.

    Args:
        claim: the network beats chance and every baseline, on patients that it was not trained on.
        sentences: in the order in which they should be read.
    """

    claim: bool
    sentences: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``metrics.json``.

        Returns:
            ``claim`` and ``sentences``.
        """
        return {"claim": self.claim, "sentences": list(self.sentences)}


def judge_evidence(summary: Mapping[str, Any]) -> Verdict:
    """Whether the AUC exceeds chance, and that of each baseline on the same patients.

    The network is better than a baseline where the whole 95 % interval of the difference in AUC lies above 0. A network
    without clinical values cannot use which of them were recorded: that baseline then limits no claim, but is reported.

    Args:
        summary: with ``measures``, ``against_baselines``, ``sees_clinical``, ``protocol`` and ``side``; of two classes
            also ``against_chance``, and ``permuted_labels`` where they were shuffled. Where ``shortcuts`` says that
            healthy brains are recognised by their source, ``subgroup`` is judged instead.

    Returns:
        The verdict; its first sentence says whether anything is claimed.
    """
    if not summary.get("shortcuts", {}).get("told_by_source"):
        return _judge(summary)
    subgroup = summary.get("subgroup")
    if not subgroup:
        return Verdict(False, (NOTHING, NO_TUMOUR))
    verdict = _judge({**summary, **subgroup})
    opening, *sentences = verdict.sentences
    return Verdict(verdict.claim, (opening, BY_SOURCE.format(name=subgroup["name"]), *sentences))


def _judge(summary: Mapping[str, Any]) -> Verdict:
    """The verdict on one table of predictions."""
    area, gains = summary["measures"]["auc"], {k: v["auc"] for k, v in summary["against_baselines"].items()}
    beaten = {name: gain for name, gain in gains.items() if _above(gain, 0)}
    unbeaten = {name: gain for name, gain in gains.items() if name not in beaten}
    task = task_of(summary)
    apart = summary["protocol"] == "patient" or bool(task.apart)
    foreign = apart and summary["side"] == "test"
    permuted = bool(summary.get("permuted_labels"))
    against, nouns = summary.get("against_chance") or {}, task.nouns_under(summary["protocol"])
    limiting = unbeaten if summary["sees_clinical"] else unbeaten.keys() - {MISSING}
    claim = (
        _above(area, CHANCE)
        and not _is_chance(area, against)
        and bool(gains)
        and not limiting
        and foreign
        and not permuted
    )
    sentences = [_against_chance(area, against, nouns), *_by_delong(against)]
    if permuted:
        return Verdict(
            False,
            (NOTHING, SHUFFLED.format(shuffled=nouns.shuffled), *sentences, *_of_shuffled(summary, nouns, foreign)),
        )
    if not _is_unknown(area):
        sentences += _against_baselines(beaten, unbeaten)
    if MISSING in unbeaten and not _is_unknown(unbeaten[MISSING]):
        sentences.append(NO_EVIDENCE if summary["sees_clinical"] else NOT_AN_INPUT)
    if SCAN in unbeaten and not _is_unknown(unbeaten[SCAN]):
        sentences.append(BY_SCAN)
    if not apart:
        sentences.append(f"In the paper's split the network was trained on {nouns.trained_on} that it is judged on.")
    elif not foreign:
        sentences.append(f"The {summary['side']} side is no test of it.")
    best = "The network predicts the class better than chance and better than every baseline of this page."
    opening = best if claim else NOTHING
    return Verdict(claim, (opening, *sentences))


def _against_chance(area: Mapping[str, Any], against: Mapping[str, Any], nouns: Nouns) -> str:
    text = f"AUC {with_interval(area, 2)}"
    if _is_unknown(area):
        return f"{text}: with these {nouns.cases} it cannot be distinguished from chance (0.5)."
    if _is_chance(area, against) and not area["low"] <= CHANCE <= area["high"]:
        low, high = against["chance"]["0.95"]
        reach = f"with so few {nouns.subjects} 95 % of chance results lie between {low:.2f} and {high:.2f}"
        return f"{text}: the interval excludes chance (0.5), but {reach}: this shows nothing."
    if _above(area, CHANCE):
        return f"{text}: the interval excludes chance (0.5); it is better."
    if area["high"] < CHANCE:
        return f"{text}: the interval excludes chance (0.5), but lies below it."
    return f"{text}: the interval does not exclude chance (0.5), so nothing shows that it is better."


def _is_chance(area: Mapping[str, Any], against: Mapping[str, Any], level: str = "0.95") -> bool:
    """Whether chance alone reaches this AUC; with few patients, an interval does not show that."""
    low, high = against.get("chance", {}).get(level, (None, None))
    return low is not None and not _is_unknown(area) and low <= area["mean"] <= high


def _by_delong(against: Mapping[str, Any]) -> list[str]:
    found = against.get("delong")
    if not found or _is_unknown(found):
        return []
    does = "excludes" if not found["low"] <= CHANCE <= found["high"] else "does not exclude"
    p_value = f"p = {found['p_value']:.3f}" if found["p_value"] >= 0.001 else "p < 0.001"
    return [f"DeLong's interval, {found['low']:.2f} to {found['high']:.2f}, {does} chance ({p_value})."]


def _of_shuffled(summary: Mapping[str, Any], nouns: Nouns, foreign: bool) -> list[str]:
    """Whether the result is in the range of chance, and what it means if it is not."""
    area, against = summary["measures"]["auc"], summary.get("against_chance") or {}
    if _is_unknown(area) or "chance" not in against:
        return []
    low, high = against["chance"]["0.999"]
    where = f"the range of 99.9 % of chance results ({low:.2f} to {high:.2f})"
    if _is_chance(area, against, "0.999"):
        why = f", as it must be for {nouns.cases} that the network was not trained on" if foreign else ""
        return [f"The AUC is in {where}{why}."]
    if area["mean"] > high and not foreign:
        return [f"The AUC is above {where}: the network has memorised {nouns.trained_on} that it was trained on."]
    return [f"The AUC is outside {where}: look for a leak in the split."]


def _against_baselines(beaten: Mapping[str, Any], unbeaten: Mapping[str, Any]) -> list[str]:
    if not beaten and not unbeaten:
        return ["There is no baseline to compare it with."]
    sentences = []
    if beaten:
        sentences.append(f"Its AUC is above that of {_list(beaten)}.")
    if unbeaten:
        sentences.append(f"Its AUC is not shown to be above that of {_list(unbeaten)}.")
    return sentences


def _list(gains: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} ({_difference(gain)})" for name, gain in gains.items())


def _difference(gain: Mapping[str, Any]) -> str:
    """``difference 0.40, 0.30 to 0.45``; the latter only where it is known."""
    if _is_unknown(gain):
        return f"difference {with_interval(gain, 2)}"
    return f"difference {gain['mean']:.2f}, {interval(gain, 2)}"


def _above(values: Mapping[str, Any], bound: float) -> bool:
    return not _is_unknown(values) and values["low"] > bound


def _is_unknown(values: Mapping[str, Any]) -> bool:
    return values.get("low") is None or math.isnan(values["low"])
