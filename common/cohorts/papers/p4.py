"""P4's cohort, section 5.4: 73 LGG and 259 HGG of BraTS 2019, and 259 people of IXI, drawn at random."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from common.cohorts.papers.draw import draw_subjects
from common.records import HEALTHY, Record

PUBLISHED_SIZES = {"LGG": 73, "HGG": 259, HEALTHY: 259}
"""BraTS 2019 has 76 LGG; P4 does not say which three it left out, nor which people of IXI it drew."""

logger = logging.getLogger(__name__)


def published_people(records: Sequence[Record], seed: int) -> list[Record]:
    """P4's numbers of people: LGG, HGG, and of healthy people as many as HGG.

    A smaller data set gives all that it has of a class, and no more healthy people than HGG. Weighted by
    W_c = 1 - n_c / sum(n), as P4's loss is, the published cohort has .876, .562 and .562.

    Args:
        records: of everybody, with ``grade``.
        seed: of the draw, which does not depend on the order of the records.

    Returns:
        The records of those who were drawn, in their order.
    """
    people = {name: {r["subject"] for r in records if r.get("grade") == name} for name in PUBLISHED_SIZES}
    sizes = PUBLISHED_SIZES | {HEALTHY: min(PUBLISHED_SIZES[HEALTHY], len(people["HGG"]) or PUBLISHED_SIZES[HEALTHY])}
    chosen = {name: draw_subjects(people[name], sizes[name], seed) for name in people}
    drawn = ", ".join(f"{len(chosen[name])} of {len(people[name])} {name}" for name in people)
    published = ", ".join(f"{size} {name}" for name, size in PUBLISHED_SIZES.items())
    logger.info("cohort of P4's size, seed %d: %s (published: %s)", seed, drawn, published)
    return [record for record in records if record["subject"] in chosen.get(str(record.get("grade")), ())]
