"""What a person should know of a split, but is no leak by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations

from common.audit.comparison import Audit
from common.audit.readers.image_files import without_ending
from common.audit.split import TEST, Case
from common.names import name_some, similar_names

SHOWN = 5

Sides = list[list[set[str]]]
"""What stands on each side of each division."""


def remarks_of(audit: Audit) -> list[str]:
    """Those of the split's reader, what was not compared, ids and names of files that may be one patient's."""
    known = audit.patients.of_case
    spoken = _standing(audit, lambda case: known.get(case.name) or _last_part(case))
    unknown = _standing(audit, lambda case: None if case.by_id or case.name in known else _last_part(case))
    return [*_limits(audit), *audit.split.remarks, *_tell_look_alike(spoken), *_tell_equal(unknown)]


def _limits(audit: Audit) -> list[str]:
    found = []
    sides = {side for division in audit.split.divisions for side in division.sides}
    if TEST not in sides:
        found.append("there is no test side: a result on cases that a model was chosen on is too favourable")
    if audit.phantoms:
        found.append(f"the images of {audit.phantoms} cases are phantoms, no patients")
    if audit.contents is None:
        found.append("no image was read: the same scan or picture under another name is not found")
    if unknown := tell_unknown(audit):
        found.append(f"{unknown}; where names tell the patient, give --subject_pattern")
    return found


def tell_unknown(audit: Audit) -> str:
    """Of how many cases the patient is known; empty where it is of all."""
    cases, known = len(audit.split.cases), len(audit.patients.of_case)
    if known == cases:
        return ""
    return f"the patient of {f'{known} of {cases} cases only' if known else 'no case'} is known"


def _tell_look_alike(sides: Sides) -> list[str]:
    """Ids on two sides that may be one id, written in two ways."""
    groups = similar_names(sorted(set[str]().union(*(names for division in sides for names in division))))
    across = [" and ".join(map(ascii, group)) for group in groups if any(_divides(each, group) for each in sides)]
    more = f" and {len(across) - SHOWN} more" if len(across) > SHOWN else ""
    told = (
        f"ids on two sides that differ only by zeros, case, spaces or Unicode form: {'; '.join(across[:SHOWN])}{more}"
    )
    return [told] if across else []


def _divides(division: list[set[str]], group: Collection[str]) -> bool:
    """Whether different ids of a group stand on different sides."""
    standing = [names & set(group) for names in division]
    return any(one != other for first, second in combinations(standing, 2) for one in first for other in second)


def _tell_equal(sides: Sides) -> list[str]:
    """Names of files on two sides whose patient is not known: each side may have been numbered anew."""
    both = set[str]()
    for division in sides:
        both |= set[str]().union(*(first & second for first, second in combinations(division, 2)))
    return [f"names of files that stand on two sides, perhaps of one patient: {name_some(both)}"] if both else []


def _standing(audit: Audit, name_of: Callable[[Case], str | None]) -> Sides:
    names = {name: name_of(case) for name, case in audit.split.cases.items()}
    return [
        [{told for name in side if (told := names[name])} for side in division.sides.values()]
        for division in audit.split.divisions
    ]


def _last_part(case: Case) -> str:
    """An id as it is; of a path the name of the file, without its ending."""
    return case.name if case.by_id else without_ending(case.name).rpartition("/")[2]
