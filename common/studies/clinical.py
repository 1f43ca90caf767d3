"""A patient's clinical values beside a DICOM study: from a small file, from settings, or from the study's header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.cohorts.features import FEATURES, parse_given
from common.errors import KnobError, Problem
from common.files import read_json


def read_clinical_values(
    path: str | Path | None, age: Any = None, resection: Any = None, *, age_from_header: bool = False
) -> dict[str, Any]:
    """The values that were given.

    Args:
        path: of a JSON file such as ``{"age": 61, "resection": "GTR"}``.
        age: in years; takes the place of the file's, like ``resection``.
        resection: GTR or STR.
        age_from_header: whether the age will be taken from the study, so that none may be given.

    Raises:
        KnobError: the file cannot be read or holds other values, a value means nothing, or there would be two ages.
    """
    values = dict(_read(Path(path))) if path else {}
    values |= {name: value for name, value in (("age", age), ("resection", resection)) if value is not None}
    given = {**parse_given(values)}
    if age_from_header and "age" in given:
        what = "the age is given, and would be taken from the study as well"
        raise KnobError(Problem(what, "--age-from-header", "Give one of the two."))
    return given


def _read(path: Path) -> dict[str, Any]:
    hint = 'Write, for example, {"age": 61, "resection": "GTR"}.'
    try:
        values = read_json(path)
    except (OSError, ValueError) as error:
        raise KnobError(Problem(f"the clinical values cannot be read ({error})", str(path), hint)) from error
    if not isinstance(values, dict) or values.keys() - set(FEATURES):
        raise KnobError(Problem(f"it holds more than {' and '.join(FEATURES)}", str(path), hint))
    return values
