"""Which patients a table is about: the data set is checked before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from common.cohorts.brats_reader import read_cohort
from common.cohorts.image_reader import read_image_cohort
from common.cohorts.phantom_mark import is_phantom
from common.cohorts.series_reader import read_series_cohort
from common.cohorts.volume_reader import read_volume_cohort
from common.records import Record
from common.reproduction.options import Options
from common.reproduction.results_page import Cohort
from common.reproduction.table_plan import WITH_HEALTHY, PaperTable

READERS: Mapping[str, Callable[..., list[Record]]] = {
    "volumes": partial(read_cohort, need_seg=False),
    "images": read_image_cohort,
    "series": read_series_cohort,
}
"""A reader for each kind of data set; it takes a folder, a list, and the patients to leave out."""


def read_data_set(table: PaperTable, options: Options) -> Cohort:
    """Read the headers.

    Raises:
        DatasetError: the data set cannot be used.
    """
    chosen: dict[str, Any] = {knob: options.settings.get(knob) for knob in ("datalist", "exclude")}
    if table.cohort == WITH_HEALTHY:
        records = read_volume_cohort(options.dataset_dir, options.healthy_dir, **chosen)
    else:
        records = READERS[table.cohort](options.dataset_dir, chosen["datalist"], chosen["exclude"])
    return Cohort(dict(Counter(record["source"] for record in records)), any(map(is_phantom, records)))
