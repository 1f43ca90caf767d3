"""The resection cavity, a fourth label in the masks of treated patients, and what a run makes of it.

``mask_values`` of such a record has a fourth value after those of NCR, ED and ET, as in BraTS 2024 GLI.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from common.cohorts.datasets.data_set import Found
from common.cohorts.datasets.registry import source_name
from common.errors import KnobError, Problem
from common.records import CAVITY_CLASS, MASK_CLASSES, Record, without_key

REFUSE, BACKGROUND, REGION = CHOICES = ("refuse", "background", "region")
HINT = (
    "Segmentation learns from them with --cavity background (it is no tumour) or --cavity region (a class of its own). "
    "The other bundles have no such choice: they read the images without the masks."
)


logger = logging.getLogger(__name__)


def mask_classes(cavity: str, recipe: str = "ours") -> tuple[str, ...]:
    """The classes of a mask besides background, in the order of their indices from 1.

    Raises:
        KnobError: there is no such choice, or the paper's recipe has no class of the cavity.
    """
    check_choice(cavity)
    if cavity == REGION and recipe == "paper":
        hint = "Say --cavity background, or leave configs/paper.yaml out of --config_file."
        raise KnobError(Problem("the paper's recipe has no class of the resection cavity", "--cavity", hint))
    return (*MASK_CLASSES, CAVITY_CLASS) if cavity == REGION else MASK_CLASSES


def settle_cavities(records: Sequence[Record], cavity: str, need_seg: bool, where: str) -> Found:
    """The records, their masks as a run wants them.

    Args:
        records: the cohort; those whose masks have no label for a cavity stay as they are.
        cavity: ``refuse``: no such mask is used; ``background``: the label counts as background; ``region``: it is the
            fourth class.
        need_seg: whether a refused mask is a problem, or left out.
        where: folder or list, for the message.

    Raises:
        KnobError: there is no such choice.
    """
    check_choice(cavity)
    labels = [record["mask_values"][len(MASK_CLASSES)] for record in records if _has_cavity(record)]
    if cavity == REGION and not labels:
        logger.warning("No mask in %s has a label for the resection cavity: its Dice says nothing", where)
    if cavity == REGION or not labels:
        return list(records), []
    if cavity == BACKGROUND:
        return [_without_cavity(record) if _has_cavity(record) else record for record in records], []
    if need_seg:
        sources = {source_name(record["source"]): None for record in records if _has_cavity(record)}
        what = f"the masks of {', '.join(sources)} have a label for the resection cavity, {labels[0]}"
        return [record for record in records if not _has_cavity(record)], [Problem(what, where, HINT)]
    return [without_key(record, "seg") if _has_cavity(record) else record for record in records], []


def check_choice(cavity: str) -> None:
    """Refuse what is no choice.

    Raises:
        KnobError: names the choices.
    """
    if cavity not in CHOICES:
        raise KnobError(Problem(f"{cavity!r} is no choice", "--cavity", f"Choose one of: {', '.join(CHOICES)}."))


def _has_cavity(record: Record) -> bool:
    return bool(record.get("seg")) and len(record.get("mask_values") or ()) > len(MASK_CLASSES)


def _without_cavity(record: Record) -> Record:
    values = list(record["mask_values"])
    count = len(MASK_CLASSES)
    return {**record, "mask_values": values[:count], "background_values": values[count:]}
