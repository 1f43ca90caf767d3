"""What every cohort reader returns: a plain dict a patient.

Keys: ``subject`` (the patient's id, the unit of every split), ``source`` (the data set), a path under each of
:data:`MODALITIES`, the mask's path under ``seg`` (absent where there is none), ``mask_values`` (the values that stand
for NCR, ED and ET in the mask) and the clinical values ``grade``, ``age`` (years), ``survival_days``, ``alive``
(the survival time is censored) and ``resection`` (``GTR`` or ``STR``), each ``None`` where it was not recorded.

No key starts with ``image_`` or ``label_``: MONAI and MONAI Label take such keys for metadata of an image.
"""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

MODALITIES = ("flair", "t1", "t1ce", "t2")
"""The order of the channels, everywhere."""

BRATS_MASK_VALUES = (1, 2, 4)
"""Necrotic and non-enhancing core, oedema, enhancing tumour, as BraTS 2018 to 2021 store them."""
