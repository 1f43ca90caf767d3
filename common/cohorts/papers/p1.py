"""P1's cohort, sections 2.1 and 2.2: as many HGG as LGG, and invented values for the LGG, which have none in BraTS.

Results on this cohort explain the published ones and say nothing about people: an invented survival of more than four
years identifies a patient as LGG.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Sequence
from typing import cast

import numpy as np

from common.cohorts.papers.draw import draw_subjects
from common.errors import DatasetError, Problem
from common.records import Record

DAYS_PER_YEAR = 365.25
SHARE_BELOW_5_YEARS = 0.24
SHORTER_YEARS, LONGER_YEARS = (4, 5), (5, 7)

logger = logging.getLogger(__name__)


def published_cohort(records: Sequence[Record], seed: int) -> list[Record]:
    """As many HGG as LGG patients, 76 and 76 of BraTS 2020, with no age or survival missing.

    HGG are drawn from those whose age and day of death are recorded. Where LGG lack them, the age is drawn evenly from
    mean ± standard deviation of all ages recorded, and the survival evenly from 4 to 5 years (odds .24) or from 5 to 7
    years; such a record has ``invented`` set. P1 does not say how it treated the resection of the LGG; it stays
    unknown.

    Args:
        records: the cohort, one record per patient.
        seed: of all draws; they do not depend on the order of the records.

    Raises:
        DatasetError: there is no LGG patient, or no HGG patient with the values.
    """
    lgg = {record["subject"] for record in records if record.get("grade") == "LGG"}
    hgg = {record["subject"] for record in records if record.get("grade") == "HGG" and _is_complete(record)}
    _check(lgg, hgg)
    size = min(len(lgg), len(hgg))
    chosen = draw_subjects(lgg, size, seed) | draw_subjects(hgg, size, seed)
    ages = [age for record in records if (age := record.get("age")) is not None]
    mean, deviation = float(np.mean(ages)), float(np.std(ages))
    cohort = [_complete(record, mean, deviation, seed) for record in records if record["subject"] in chosen]
    invented = sum("invented" in record for record in cohort)
    logger.info("published cohort: %d LGG and %d HGG; values of %d LGG are invented", size, size, invented)
    return cohort


def _is_complete(record: Record) -> bool:
    return record.get("age") is not None and record.get("survival_days") is not None and not record.get("alive")


def _check(lgg: Collection[str], hgg: Collection[str]) -> None:
    problems = []
    if not lgg:
        problems.append(Problem("no patient is LGG", "the cohort", "P1's recipe needs both grades."))
    if not hgg:
        hint = "P1's recipe needs the tables of BraTS 2020, or columns age and survival_days in a list."
        problems.append(Problem("no HGG patient has an age and a day of death", "the cohort", hint))
    if problems:
        raise DatasetError(problems)


def _complete(record: Record, mean: float, deviation: float, seed: int) -> Record:
    """A copy of the record with age and survival made up where they are missing."""
    random = np.random.default_rng([seed, *hashlib.sha256(str(record["subject"]).encode()).digest()])
    is_shorter = random.random() < SHARE_BELOW_5_YEARS
    first, end = (int(year * DAYS_PER_YEAR) for year in (SHORTER_YEARS if is_shorter else LONGER_YEARS))
    drawn: Record = {
        "age": round(float(random.uniform(mean - deviation, mean + deviation)), 3),
        "survival_days": float(random.integers(first, end)),
    }
    missing = {key: value for key, value in drawn.items() if record.get(key) is None}
    if not missing:
        return record.copy()
    alive = False if "survival_days" in missing else record.get("alive", False)
    return {**record, **cast(Record, missing), "alive": alive, "invented": True}
