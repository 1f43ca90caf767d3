"""Which patients some runs are about: the data set is checked before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import read_cohort
from common.records import Record


@dataclass(frozen=True)
class Cohort:
    """The patients that the runs are about.

    Args:
        sources: number of patients under each data set.
        phantoms: whether they are generated.
        records: of each of them.
    """

    sources: Mapping[str, int]
    phantoms: bool
    records: Sequence[Record] = ()


def read_data_set(dataset_dir: Path | None, kind: str, settings: Mapping[str, str], **chosen: Any) -> Cohort:
    """Read the headers.

    Args:
        dataset_dir: the data set's folder; ``None`` where a list takes its place.
        kind: of the cohort, a key of :data:`common.cohorts.reading.KINDS`.
        settings: knobs of the runs; ``datalist`` and ``exclude`` are heeded.
        chosen: further arguments of :func:`~common.cohorts.reading.read_cohort`.

    Raises:
        DatasetError: the data set cannot be used.
    """
    given = {knob: settings[knob] for knob in ("datalist", "exclude") if knob in settings}
    records = read_cohort(dataset_dir, kind=kind, **{**given, "need_seg": False, **chosen})
    return Cohort(dict(Counter(record["source"] for record in records)), any(map(is_phantom, records)), records)
