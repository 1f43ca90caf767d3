"""Rules that say which series of a study is FLAIR, T1, T1ce or T2.

The file has the form of the MONAI Deploy App SDK's series selector, JSON: ``{"selections": [{"name": "t2",
"conditions": {"SeriesDescription": "t2"}}]}``. A name is one of :data:`~common.records.MODALITIES`; the keys of
``conditions`` are DICOM keywords. A text is a regular expression, found anywhere in the value in either case; a list
names values that must be among those of an element such as ImageType, or, after ``!``, must not be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import KnobError, Problem
from common.files import read_json
from common.records import MODALITIES
from common.studies.quiet import quiet

if TYPE_CHECKING:
    from pydicom import Dataset

Conditions = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class SeriesRule:
    """What makes a series a modality.

    Args:
        name: one of :data:`~common.records.MODALITIES`.
        conditions: all of which must hold, by DICOM keyword.
    """

    name: str
    conditions: Conditions

    def fits(self, header: Dataset) -> bool:
        """Whether the series of this image fulfils all conditions."""
        with quiet():
            return all(_holds(condition, header.get(keyword)) for keyword, condition in self.conditions.items())


def read_rules(path: str | Path) -> tuple[SeriesRule, ...]:
    """Read a rule file.

    Raises:
        KnobError: it cannot be read, or has no meaning; everything that is wrong with it at once.
    """
    path = Path(path)
    hint = "See series_rules.json of the MONAI Deploy app for an example."
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise KnobError(Problem(f"the rules cannot be read ({error})", str(path), hint)) from error
    selections = content.get("selections") if isinstance(content, dict) else None
    if not isinstance(selections, list) or not selections:
        raise KnobError(Problem("it holds no list 'selections'", str(path), hint))
    problems = [Problem(what, str(path), hint) for selection in selections for what in _find_mistakes(selection)]
    if problems:
        raise KnobError(problems)
    return tuple(SeriesRule(selection["name"], selection["conditions"]) for selection in selections)


def _find_mistakes(selection: Any) -> Iterator[str]:
    from pydicom.datadict import tag_for_keyword

    name = selection.get("name") if isinstance(selection, dict) else None
    if name not in MODALITIES:
        yield f"{name!r} is no name of a selection; they are {', '.join(MODALITIES)}"
        return
    conditions = selection.get("conditions")
    if not isinstance(conditions, dict) or not conditions:
        yield f"{name} has no conditions"
        return
    for keyword, condition in conditions.items():
        if tag_for_keyword(keyword) is None:
            yield f"{name}: {keyword!r} is no DICOM keyword"
        if isinstance(condition, str):
            try:
                re.compile(condition)
            except re.error as error:
                yield f"{name}: {condition!r} is no regular expression ({error})"
        elif not isinstance(condition, list) or not all(isinstance(value, str) for value in condition):
            yield f"{name}: the condition of {keyword} is neither a text nor a list of texts"


def _holds(condition: str | Sequence[str], value: Any) -> bool:
    if value is None or value == "":
        return False
    values = [str(part) for part in value] if isinstance(value, list | tuple) or _is_multiple(value) else [str(value)]
    if isinstance(condition, str):
        return re.search(condition, "\\".join(values), re.IGNORECASE) is not None
    known = {part.casefold() for part in values}
    return all((part.lstrip("!").casefold() in known) != part.startswith("!") for part in condition)


def _is_multiple(value: Any) -> bool:
    return type(value).__name__ == "MultiValue"
