"""Tables of a paper that describe its data: the printed values beside what the data set itself records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from common.cohorts.papers.p1 import DAYS_PER_YEAR, published_cohort
from common.records import Record

SEED = 0
"""Of P1's draws, as the bundles have it."""

PRINTED: Mapping[str, Mapping[str, float | str]] = {
    "mean age, years": {"LGG": 38.5, "HGG": 56.5},
    "mean survival, years": {"LGG": 5.5, "HGG": 1.1},
    "WHO grades": {"LGG": "II: 50 %, III: 50 %", "HGG": "IV: 100 %"},
}
"""P1, table 1."""

LGG_RECORDED, LGG_FILLED, HGG_RECORDED = "LGG: recorded", "LGG: filled in by P1's rule", "HGG: recorded"
COLUMNS = ("LGG: P1, table 1", LGG_RECORDED, LGG_FILLED, "HGG: P1, table 1", HGG_RECORDED)


def clinical_characteristics(records: Sequence[Record]) -> pd.DataFrame:
    """P1's table 1: printed, as the data set records it, and as P1's own rule fills in what LGG patients lack.

    A patient who was still alive has no survival time.

    Args:
        records: one per patient, with ``grade``, ``age``, ``survival_days`` and ``alive`` where they are known.

    Returns:
        One row per characteristic, two columns for HGG and three for LGG.
    """
    rows = {name: {"": name} for name in ("patients", "with an age", "with a day of death", *PRINTED)}
    for grade, recorded in (("LGG", LGG_RECORDED), ("HGG", HGG_RECORDED)):
        own = [record for record in records if record.get("grade") == grade]
        for name, values in PRINTED.items():
            rows[name][f"{grade}: P1, table 1"] = str(values[grade])
        _describe(rows, recorded, own)
    if any(record.get("grade") == "LGG" for record in records):
        filled = [record for record in published_cohort(records, SEED) if record.get("grade") == "LGG"]
        _describe(rows, LGG_FILLED, filled)
    found = pd.DataFrame(rows.values()).fillna("")
    return found[["", *sorted(found.columns[1:], key=COLUMNS.index)]]


def _describe(rows: Mapping[str, dict[str, str]], column: str, records: Sequence[Record]) -> None:
    ages = [age for record in records if (age := record.get("age")) is not None]
    days = [days for record in records if (days := record.get("survival_days")) is not None and not record.get("alive")]
    rows["patients"][column] = str(len(records))
    rows["with an age"][column], rows["with a day of death"][column] = str(len(ages)), str(len(days))
    rows["mean age, years"][column] = _mean(ages)
    rows["mean survival, years"][column] = _mean([value / DAYS_PER_YEAR for value in days])
    rows["WHO grades"][column] = "not recorded"


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else "not recorded"


DATA_TABLES: Mapping[str, Callable[[Sequence[Record]], pd.DataFrame]] = {
    "clinical characteristics": clinical_characteristics
}
