"""The clinical values that a network may be given beside the images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from common.cohorts.clinical_values import PARSERS
from common.cohorts.exclusion import split_names
from common.errors import KnobError, Problem
from common.formats.tables import as_text
from common.records import Record

FEATURES = ("age", "resection")
"""In the order in which their numbers are handed to the network."""

EXAMPLES = {
    "age": "Give years, such as --age 61.",
    "resection": "Say GTR (gross total) or STR (subtotal): --resection GTR.",
}


def parse_features(features: str | Iterable[str] | None) -> tuple[str, ...]:
    """The features that a knob asks for, as a list or comma-separated, in the order of :data:`FEATURES`.

    Raises:
        KnobError: names every unknown one.
    """
    asked = [name.lower() for name in split_names(features or None)]
    unknown = [name for name in asked if name not in FEATURES]
    if unknown:
        hint = f"Choose of {', '.join(FEATURES)}."
        raise KnobError(Problem(f"{', '.join(unknown)} is no clinical feature", "--clinical_features", hint))
    return tuple(name for name in FEATURES if name in asked)


def parse_given(given: Mapping[str, Any] | None) -> Record:
    """What was said of one patient on the command line: ``age`` and ``resection``, as numbers or text.

    Raises:
        KnobError: every value that means nothing.
    """
    values: Record = {}
    problems = []
    for name in FEATURES:
        text = as_text((given or {}).get(name))
        if not text:
            continue
        try:
            values.update(cast(Record, PARSERS[name](text)))
        except ValueError as error:
            problems.append(Problem(f"'{text}' {error}", f"--{name}", EXAMPLES[name]))
    if problems:
        raise KnobError(problems)
    return values
