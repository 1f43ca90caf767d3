"""Which patients some runs are about: the data set is checked before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import read_cohort
from common.command_line import fire_value
from common.errors import KnobError, Problem, find_glioma_error
from common.knobs import merged_config, parse_command_line
from common.records import Record
from common.runs.steps import Step


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


def read_data_set(dataset_dir: Path, kind: str, settings: Mapping[str, str], **chosen: Any) -> Cohort:
    """Read the headers of what several bundles are trained on.

    Args:
        dataset_dir: the data set's folder.
        kind: of the cohort, a key of :data:`common.cohorts.reading.KINDS`.
        settings: knobs of the runs; those that tell what is read are heeded.
        chosen: further arguments of :func:`~common.cohorts.reading.read_cohort`, where ``settings`` leave them open.

    Raises:
        DatasetError: the data set cannot be used.
    """
    given: dict[str, Any] = {knob: settings[knob] for knob in ("datalist", "exclude", "cavity") if knob in settings}
    if "modalities" in settings:
        given["modalities"] = fire_value(settings["modalities"])
    return _as_cohort(read_cohort(dataset_dir, kind=kind, **{"need_seg": False, **chosen, **given}))


def read_cohort_of(step: Step) -> Cohort:
    """Read the patients that a command's configs read, as they read them, before any is left out for want of a label.

    Raises:
        GliomaError: the data set cannot be used, or no item of the configs calls ``read_cohort``.
    """
    from monai.bundle import ConfigParser

    files, overrides = parse_command_line(step.command()[2:])
    config = merged_config(files, overrides)
    names = [name for name, item in config.items() if "read_cohort(" in str(item)]
    if not names:
        raise KnobError(Problem("no item of it calls read_cohort", files[0], "Let its cohort come from there."))
    try:
        records = ConfigParser(config).get_parsed_content(names[0])
    except Exception as error:
        raise find_glioma_error(error) or error from None
    return _as_cohort(records)


def _as_cohort(records: Sequence[Record]) -> Cohort:
    return Cohort(dict(Counter(record["source"] for record in records)), any(map(is_phantom, records)), records)
