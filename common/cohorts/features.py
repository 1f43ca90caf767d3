"""The clinical values that a network may get beside the images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from common.cohorts.clinical_values import PARSERS
from common.cohorts.exclusion import split_names
from common.errors import KnobError, Problem
from common.formats.tables import as_text
from common.records import Record

FEATURES = ("age", "resection")
"""In the order of the network's inputs."""

EXAMPLES = {
    "age": "Give years, such as --age 61.",
    "resection": "Give GTR (gross total) or STR (subtotal): --resection GTR.",
}


def parse_features(features: str | Iterable[str] | None) -> tuple[str, ...]:
    """Read the features of a knob.

    Args:
        features: a list or comma-separated text.

    Returns:
        Their names, in the order of :data:`FEATURES`.

    Raises:
        KnobError: names every unknown one.
    """
    wanted = [name.lower() for name in split_names(features or None)]
    unknown = [name for name in wanted if name not in FEATURES]
    if unknown:
        hint = f"Choose one or more of {', '.join(FEATURES)}."
        raise KnobError(Problem(f"{', '.join(unknown)} is not a clinical feature", "--clinical_features", hint))
    return tuple(name for name in FEATURES if name in wanted)


def parse_given(given: Mapping[str, Any] | None) -> Record:
    """Read the values of one patient on the command line: ``age`` and ``resection``, as numbers or text.

    Raises:
        KnobError: names every value that cannot be read.
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
