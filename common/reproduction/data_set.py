"""Which patients a table is about: the data set is checked before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import read_cohort
from common.records import Record
from common.reproduction.options import Options
from common.reproduction.table_plan import PaperTable


@dataclass(frozen=True)
class Cohort:
    """The patients that the table is about.

    Args:
        sources: number of patients under each data set.
        phantoms: whether they are generated.
        records: of each of them.
    """

    sources: Mapping[str, int]
    phantoms: bool
    records: Sequence[Record] = ()


def read_data_set(table: PaperTable, options: Options) -> Cohort:
    """Read the headers.

    Raises:
        DatasetError: the data set cannot be used.
    """
    chosen: dict[str, Any] = {knob: options.settings.get(knob) for knob in ("datalist", "exclude")}
    chosen["kind"] = table.cohort
    if table.healthy:
        chosen |= {"healthy_dir": options.healthy_dir, "modalities": ("t1ce",)}
    else:
        chosen["need_seg"] = False
    records = read_cohort(options.dataset_dir, **chosen)
    return Cohort(dict(Counter(record["source"] for record in records)), any(map(is_phantom, records)), records)
