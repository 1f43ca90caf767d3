"""What an audit found, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from common.audit.comparison import Audit, Comparison, Match
from common.audit.remarks import remarks_of, tell_unknown
from common.audit.traces import KINDS
from common.names import name_some

SHOWN_PAIRS = 3
"""Of each two sides; all of them are in the table."""


def describe(audit: Audit) -> str:
    """All that was found, for a terminal."""
    return "\n".join([*_describe_split(audit), "", *_describe_sides(audit), *_verdict(audit)])


def describe_match(match: Match) -> str:
    """How two cases are alike, in words."""
    if match.pair:
        return f"{KINDS[match.kind]} ({match.pair.transform}, correlation {match.pair.score:.2f})"
    return KINDS[match.kind] + (" (by way of further copies)" if match.kind == "picture" else "")


def title_of(comparison: Comparison) -> str:
    """Which sides of which division."""
    division = f"{comparison.division}: " if comparison.division else ""
    return f"{division}{comparison.sides[0]} and {comparison.sides[1]}"


def _describe_split(audit: Audit) -> Iterator[str]:
    split, patients = audit.split, audit.patients
    files = sum(len(case.files) for case in split.cases.values())
    yield f"{split.where}: {split.kind}; {_count(len(split.cases), 'case')}, {_count(files, 'image')}"
    if patients.of_case:
        known = f"{_count(patients.count, 'patient')} in {_count(len(patients.of_case), 'case')}"
        yield f"{known}, told by {', '.join(patients.sources)}"
    for remark in remarks_of(audit):
        yield f"  ! {remark}"


def _describe_sides(audit: Audit) -> Iterator[str]:
    for comparison in audit.comparisons:
        yield f"{title_of(comparison)} ({comparison.sizes[0]}, {comparison.sizes[1]}): {share_of(comparison)}"
        for kind, count in comparison.counts.items():
            yield f"    {KINDS[kind]}: {count}" + (_patients_of(comparison) if kind == "patient" else "")
        for match in comparison.matches[:SHOWN_PAIRS]:
            yield f"      {match.second} like {match.first}: {describe_match(match)}"
        if len(comparison.matches) > SHOWN_PAIRS:
            yield f"      and {len(comparison.matches) - SHOWN_PAIRS} more"
    yield from summarise_folds(audit)


def share_of(comparison: Comparison) -> str:
    """What is touched of the second side, in words."""
    first, second = comparison.sides
    if not comparison.touched:
        return f"no case of {second} has a counterpart in {first}"
    counted = f"{comparison.touched} of {comparison.sizes[1]} ({comparison.share:.1%})"
    return f"{counted} of {second} have a counterpart in {first}"


def summarise_folds(audit: Audit) -> list[str]:
    """All folds in a line, where there are several."""
    folds = [comparison for comparison in audit.comparisons if comparison.division.startswith("fold ")]
    if len(folds) < 2:
        return []
    touched, judged = (sum(numbers) for numbers in zip(*((fold.touched, fold.sizes[1]) for fold in folds), strict=True))
    leaking = sum(fold.touched > 0 for fold in folds)
    share = touched / judged if judged else 0.0
    return [f"{len(folds)} folds: {leaking} leak; {touched} of {judged} ({share:.1%}) of what is validated is touched"]


def _patients_of(comparison: Comparison) -> str:
    return f" ({_count(len(comparison.patients), 'patient')}: {name_some(comparison.patients)})"


def _verdict(audit: Audit) -> Iterator[str]:
    yield ""
    leak = "It leaks: what is learned from and what is judged share patients or images."
    by = "ids" if audit.contents is None else "ids and images"
    unknown = tell_unknown(audit)
    none = f"No leak was found by {by}; {unknown}." if unknown else "No leak was found."
    yield leak if audit.leaks else none


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
