"""Each bundle in each program that takes MONAI bundles: tried for real on phantoms, its numbers compared."""

from common.packaging.consumers.environment import BareEnvironment
from common.packaging.consumers.table import COLUMNS, Row, as_markdown, is_green, try_bundle
from common.packaging.consumers.trials import COHORTS, Trial, cohort_of, trial_of

__all__ = [
    "COHORTS",
    "COLUMNS",
    "BareEnvironment",
    "Row",
    "Trial",
    "as_markdown",
    "cohort_of",
    "is_green",
    "trial_of",
    "try_bundle",
]
