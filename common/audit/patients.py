"""Which patient a case belongs to: as the list says, by a pattern of the user's own, or by rules for known names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from common.audit.readers.image_files import without_ending
from common.audit.split import Case, side_named
from common.cohorts.datasets.brats_releases import find_release
from common.errors import DatasetError, KnobError, Problem
from common.names import name_some, person_of

PATTERN = "--subject_pattern"

SERIES = "(?:flair|t1|t1w|t1ce|t1wce|t1gd|t1c|t2|t2w)"
RULES = {
    "BIDS": r"(?:^|[/_])(?P<subject>sub-[0-9A-Za-z]+)(?![0-9A-Za-z])",
    "TCGA": r"(?:^|[/_])(?P<subject>TCGA-[0-9A-Z]{2}-[0-9A-Z]{4})(?![0-9A-Za-z])",
    "UPENN-GBM and UCSF-PDGM": r"(?:^|[/_])(?P<subject>(?:UPENN-GBM|UCSF-PDGM)-\d+)(?!\d)",
    "patient_1": r"(?:^|[/_])(?P<subject>(?:patient|subject|subj)[-_ ]?\d+)(?![0-9A-Za-z])",
    "name_slice_1": r"(?:^|/)(?P<subject>[^/]*[^-_ /])[-_ ]*slice[-_ ]*\d+$",
    "IXI": r"(?:^|[/_])(?P<subject>IXI\d+)(?![0-9A-Za-z])",
    "BraTS of another disease": r"(?:^|[/_])(?P<subject>BraTS(?:-[A-Z]+)+-\d+)(?![0-9A-Za-z])",
    "patient/FLAIR": rf"(?:^|/)(?P<subject>[^/]+)/{SERIES}$",
    "1/FLAIR/file": rf"(?:^|/)(?P<subject>\d+)/{SERIES}/[^/]+$",
}
"""Names that say whose they are, in any case. The first that fits counts; those of BraTS come before."""

BRATS = "BraTS"


@dataclass(frozen=True)
class Patients:
    """Whose the cases are.

    Args:
        of_case: the patient by the case's name; a case whose name does not tell is absent.
        told_by: how it is known, by the case's name.
    """

    of_case: Mapping[str, str]
    told_by: Mapping[str, str]

    @property
    def count(self) -> int:
        """Different patients."""
        return len(set(self.of_case.values()))

    @property
    def sources(self) -> list[str]:
        """How patients are known, how many cases each way tells, and the first of them."""
        counts = Counter(self.told_by.values())
        first = {source: name for name, source in reversed(list(self.told_by.items()))}
        return [
            f"{source} ({count}, such as {first[source]}: {self.of_case[first[source]]})"
            for source, count in counts.items()
        ]


def find_patients(cases: Mapping[str, Case], pattern: str | None = None) -> Patients:
    """The patients of cases.

    Args:
        cases: by name.
        pattern: a regular expression that is searched in each id, of a file in its name and then in its place below the
            folder of its side; the patient is its group ``subject``, else its first group that took part, else all that
            it found. ``None`` for what the list says, else for known rules.

    Raises:
        KnobError: the pattern is no regular expression.
        DatasetError: it is not found in some names.
    """
    if pattern is not None:
        found = _by_pattern(cases, pattern)
        return Patients(found, dict.fromkeys(found, PATTERN))
    of_case: dict[str, str] = {}
    told_by: dict[str, str] = {}
    for name, case in cases.items():
        told = ("the list", case.patient) if case.patient else _by_rule(without_ending(name))
        if told:
            told_by[name], of_case[name] = told[0], person_of(told[1])
    return Patients(of_case, told_by)


def _by_pattern(cases: Mapping[str, Case], pattern: str) -> dict[str, str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        hint = r"An example: '(?P<subject>BraTS-GLI-\d+)-\d+'."
        raise KnobError(Problem(f"{pattern} is no regular expression ({error})", PATTERN, hint)) from error
    found = {name: _search(expression, case) for name, case in cases.items()}
    lost = [name for name, patient in found.items() if not patient]
    if lost:
        what = f"{pattern} finds no patient in {len(lost)} of {len(cases)} names: {name_some(lost)}"
        raise DatasetError(Problem(what, PATTERN, "Add an alternative for them with |."))
    return {name: patient for name, patient in found.items() if patient}


def _search(expression: re.Pattern[str], case: Case) -> str | None:
    if case.by_id:
        return _captured(expression.search(case.name))
    name = without_ending(case.name)
    above, _, below = name.partition("/")
    place = below if side_named(above) else name
    return _captured(expression.search(place.rpartition("/")[2])) or _captured(expression.search(place))


def _captured(match: re.Match[str] | None) -> str | None:
    if match is None:
        return None
    if "subject" in match.re.groupindex:
        return match["subject"]
    return next((group for group in match.groups() if group), match[0])


def _by_rule(name: str) -> tuple[str, str] | None:
    """The rule, and the patient."""
    for part in name.split("/"):
        if patient := _by_release(part):
            return BRATS, patient
    for rule, pattern in RULES.items():
        if match := re.search(pattern, name, re.IGNORECASE):
            return rule, match["subject"]
    return None


def _by_release(part: str) -> str | None:
    """The patient of the shortest beginning that a release of BraTS names its folders by."""
    for end in [match.start() for match in re.finditer(r"[-_](?=[0-9A-Za-z])|$", part)]:
        release = find_release(part[:end])
        if release:
            return release.names(part[:end])["subject"]
    return None
