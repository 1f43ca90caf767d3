"""Two sides of a split compared: the cases of the second that have a counterpart on the first, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.audit.contents import Contents, read_contents
from common.audit.patients import Patients, find_patients
from common.audit.split import Case, Division, Split
from common.audit.traces import Keys, alike, trace_cases
from common.cohorts.phantom_mark import is_phantom
from common.copies.groups import CopyPair

Pairs = Mapping[frozenset[str], CopyPair]
"""Pictures that were laid over each other, by their two files."""


@dataclass(frozen=True)
class Match:
    """A case and its counterpart on an earlier side.

    Args:
        kind: one of :data:`~common.audit.traces.KINDS`.
        first: the case that is learned from.
        second: the case that is judged.
        others: how many more cases on the side of the first are like the second in this way, and in no surer one.
        pair: of pictures that were laid over each other, what was found.
    """

    kind: str
    first: str
    second: str
    others: int = 0
    pair: CopyPair | None = None


@dataclass(frozen=True)
class Comparison:
    """Two sides of a division.

    Args:
        division: its name.
        sides: the side that is learned from, and the one that is judged.
        sizes: cases on each.
        touched: cases of the second side that have a counterpart on the first, in any way.
        counts: such cases by kind; one that is alike in a surer way counts there alone, but for its patient.
        patients: that stand on both sides.
        matches: a counterpart for each touched case and kind; a kind that finds none besides those of surer kinds is
            left out.
    """

    division: str
    sides: tuple[str, str]
    sizes: tuple[int, int]
    touched: int
    counts: Mapping[str, int]
    patients: tuple[str, ...]
    matches: tuple[Match, ...]

    @property
    def share(self) -> float:
        """Of the second side, what is touched."""
        return self.touched / self.sizes[1] if self.sizes[1] else 0.0


@dataclass(frozen=True)
class Audit:
    """What was found.

    Args:
        split: that was looked at.
        patients: of its cases.
        contents: of its images; ``None`` where ids alone were compared.
        comparisons: of every two sides.
        phantoms: cases whose images are no patient's.
    """

    split: Split
    patients: Patients
    contents: Contents | None
    comparisons: tuple[Comparison, ...]
    phantoms: int = 0

    @property
    def leaks(self) -> bool:
        """Whether any case has a counterpart on an earlier side."""
        return any(comparison.touched for comparison in self.comparisons)


def audit_split(split: Split, pattern: str | None = None, ids_only: bool = False) -> Audit:
    """Compare every two sides of a split.

    Args:
        split: that was read.
        pattern: that finds the patient in a name; see :func:`~common.audit.patients.find_patients`.
        ids_only: read no image.

    Raises:
        DatasetError: images cannot be read, or the pattern is not found in some names.
        KnobError: the pattern is no regular expression.
    """
    patients = find_patients(split.cases, pattern)
    contents = None if ids_only else read_contents(split.cases.values())
    traces = trace_cases(split.cases, patients.of_case, contents)
    pairs = _pairs_of(contents)
    comparisons = [
        _compare(division, sides, traces, split.cases, pairs)
        for division in split.divisions
        for sides in division.side_pairs
    ]
    read = [] if ids_only else [case.files[0] for case in split.cases.values() if case.files]
    phantoms = sum(is_phantom({"image": file}) for file in read)
    return Audit(split, patients, contents, tuple(comparisons), phantoms)


def _pairs_of(contents: Contents | None) -> Pairs:
    found = contents.copies.pairs if contents and contents.copies else []
    return {frozenset((pair.first, pair.second)): pair for pair in found}


def _compare(
    division: Division, sides: tuple[str, str], traces: Mapping[str, Keys], cases: Mapping[str, Case], pairs: Pairs
) -> Comparison:
    learned, judged = (division.sides[side] for side in sides)
    counts, matches, known = {}, [], {name: set[str]() for name in judged}
    for kind, keys in traces.items():
        on_first = alike(keys, learned)
        count = 0
        for name in judged:
            found = {other for key in keys.get(name, ()) for other in on_first.get(key, ())}
            new = sorted(found - known[name])
            count += bool(found if kind == "patient" else new)
            known[name] |= found
            if new:
                matches.append(_match(kind, cases[name], [cases[other] for other in new], pairs))
        counts[kind] = count
    shared = alike(traces["patient"], learned).keys() & alike(traces["patient"], judged).keys()
    return Comparison(
        division.name,
        sides,
        (len(learned), len(judged)),
        sum(map(bool, known.values())),
        {kind: count for kind, count in counts.items() if count},
        tuple(sorted(shared)),
        tuple(matches),
    )


def _match(kind: str, case: Case, counterparts: Sequence[Case], pairs: Pairs) -> Match:
    """With the counterpart whose picture agrees best, else with the first."""
    if kind != "picture":
        return Match(kind, counterparts[0].name, case.name, len(counterparts) - 1)
    best = max(counterparts, key=lambda other: _score(_best_pair(case, other, pairs)))
    return Match(kind, best.name, case.name, len(counterparts) - 1, _best_pair(case, best, pairs))


def _best_pair(case: Case, other: Case, pairs: Pairs) -> CopyPair | None:
    between = (pairs.get(frozenset((one, two))) for one in case.files for two in other.files if one != two)
    return max(filter(None, between), key=_score, default=None)


def _score(pair: CopyPair | None) -> float:
    return pair.score if pair else 0.0
