"""Which sequences a run asks for."""

from __future__ import annotations

from collections.abc import Sequence

from common.cohorts.records import MODALITIES
from common.errors import KnobError, Problem


def check_modalities(modalities: Sequence[str]) -> None:
    """Refuse a choice of no modality, or of one that records do not know.

    Raises:
        KnobError: names what is unknown.
    """
    unknown = [name for name in modalities if name not in MODALITIES]
    if unknown or not modalities:
        what = f"{', '.join(unknown)} is no modality" if unknown else "no modality is chosen"
        raise KnobError(Problem(what, "--modalities", f"Name one or more of {', '.join(MODALITIES)}."))
