"""The patients of a phantom cohort: every value that a model could predict, drawn before any voxel.

The generative rule, in full:

* **Enhancement** ``e`` is the share of the tumour core (labels 1 and 4) that enhances (label 4); **necrosis** ``w`` is
  the share of the rest of the core (label 1) that is fluid instead of solid tissue.
* **Grade** is HGG where ``e + w > 0.5``, else LGG. HGG draw e from U(0.35, 0.75) and w from U(0.6, 1); LGG draw w from
  U(0, 0.15) and have, with equal odds, e = 0 or e from U(0.01, 0.06). The sides do not overlap: a model that sees the
  core can always be right. HGG and LGG are spread evenly over the indices, so that every ``1 / lgg_share``-th patient
  is LGG.
* **Volume** ``V`` of the whole tumour (labels 1, 2 and 4) in ml, in a head of full size, is log-normal: median 80,
  sigma 0.5, kept within 25 and 220. The core's share of it is U(0.25, 0.55). Neither depends on the grade.
* **Age** in years is normal, mean 61, SD 12, kept within 19 and 87. **Resection** is GTR with odds 0.6, else STR; it is
  recorded for 65 % of the patients. Neither depends on the grade or on the tumour.
* **Survival** in days: ``ln T = ln 400 - 0.35 (age - 61) / 10 - 0.5 ln(V / 80) + 0.35 [GTR] + 0.5 N(0, 1)``, cut at 5
  and 2500 days. It does not depend on the grade. The resection in the formula is the true one, recorded or not.
* **Censoring**: 8 % of the patients are alive at the last contact, which falls at U(0.2, 0.9) of ``T``, independent of
  everything else.

So age, resection and survival do not predict the grade. But as in BraTS, where no LGG patient has them, their
*absence* does, unless the cohort is written with ``lgg_clinical=True``.

In a **blind** cohort (``blind_grade=True``) the tables hold another grade: it is spread as evenly, but shuffled within
every ten patients, independent of the tumour. No image predicts it, only the absence of the LGG's values does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

HGG_THRESHOLD = 0.5
MEDIAN_VOLUME_ML = 80.0
MEAN_AGE = 61.0
SURVIVAL_SIGMA = 0.5
CENSORED_SHARE = 0.08
CONTACT_SHARES = (0.2, 0.9)
BLIND_DEAL = 10
TOPICS = ("deal", "patient", "seat", "brain", "tumour", "scan", "blind")


@dataclass(frozen=True)
class PhantomPatient:
    """The true values of a phantom patient.

    Args:
        index: place in the cohort, from 0.
        enhancement: share of the tumour core that enhances, in [0, 1].
        necrosis: share of the non-enhancing core that is fluid, in [0, 1].
        volume_ml: volume of the whole tumour, in a head of full size.
        core_share: share of that volume that is tumour core.
        age: years.
        resection: ``GTR`` or ``STR`` as it was recorded, or None.
        true_resection: ``GTR`` or ``STR`` in the formula of the survival.
        survival_days: days to death, or to the last contact with a patient who is ``alive``.
        alive: the survival time is censored.
        recorded_grade: the grade in the tables: :attr:`grade`, or in a blind cohort one that the tumour does not show.
    """

    index: int
    enhancement: float
    necrosis: float
    volume_ml: float
    core_share: float
    age: float
    resection: str | None
    true_resection: str
    survival_days: int
    alive: bool
    recorded_grade: str

    @property
    def grade(self) -> str:
        """``HGG`` or ``LGG``, by the rule of this module: what the tumour shows."""
        return "HGG" if self.enhancement + self.necrosis > HGG_THRESHOLD else "LGG"


def draw_patient(seed: int, index: int, lgg_share: float = 0.3, blind_grade: bool = False) -> PhantomPatient:
    """Draw a patient: a function of the arguments alone, for any size of the cohort.

    Args:
        seed: of the cohort.
        index: of the patient in it, from 0.
        lgg_share: share of the patients whose grade is LGG.
        blind_grade: record a grade that the tumour does not show.
    """
    rng = random_stream(seed, index, "patient")
    is_lgg = _is_lgg(seed, index, lgg_share)
    enhancement, necrosis = _draw_core(rng, is_lgg)
    volume_ml = float(np.clip(MEDIAN_VOLUME_ML * math.exp(0.5 * rng.standard_normal()), 25, 220))
    core_share = float(rng.uniform(0.25, 0.55))
    age = round(float(np.clip(rng.normal(MEAN_AGE, 12), 19, 87)), 3)
    true_resection = "GTR" if rng.random() < 0.6 else "STR"
    is_recorded = rng.random() < 0.65
    days = math.exp(expected_log_survival(volume_ml, age, true_resection) + SURVIVAL_SIGMA * rng.standard_normal())
    is_alive = bool(rng.random() < CENSORED_SHARE)
    share_seen = rng.uniform(*CONTACT_SHARES) if is_alive else 1.0
    return PhantomPatient(
        index=index,
        enhancement=enhancement,
        necrosis=necrosis,
        volume_ml=volume_ml,
        core_share=core_share,
        age=age,
        resection=true_resection if is_recorded else None,
        true_resection=true_resection,
        survival_days=round(float(np.clip(days, 5, 2500)) * share_seen),
        alive=is_alive,
        recorded_grade="LGG" if (_is_recorded_as_lgg(seed, index, lgg_share) if blind_grade else is_lgg) else "HGG",
    )


def expected_log_survival(volume_ml: float, age: float, resection: str) -> float:
    """Mean of the logarithm of the survival in days: the best possible prediction.

    Args:
        volume_ml: of the whole tumour.
        age: years.
        resection: ``GTR`` or ``STR``.
    """
    gain = 0.35 if resection == "GTR" else 0.0
    return math.log(400) - 0.35 * (age - MEAN_AGE) / 10 - 0.5 * math.log(volume_ml / MEDIAN_VOLUME_ML) + gain


def random_stream(seed: int, index: int, topic: str) -> np.random.Generator:
    """Random numbers for one topic of one patient: more draws for one topic change nothing in the others.

    Args:
        seed: of the cohort.
        index: of the patient.
        topic: one of :data:`TOPICS`.
    """
    return np.random.default_rng([TOPICS.index(topic), seed, index])


def _is_lgg(seed: int, index: int, lgg_share: float) -> bool:
    start = random_stream(seed, 0, "deal").random()
    return math.floor((index + 1) * lgg_share + start) > math.floor(index * lgg_share + start)


def _is_recorded_as_lgg(seed: int, index: int, lgg_share: float) -> bool:
    """The grade of another patient among the same ten; each grade is used once."""
    ten, place = divmod(index, BLIND_DEAL)
    shuffled = random_stream(seed, ten, "blind").permutation(BLIND_DEAL)
    return _is_lgg(seed, BLIND_DEAL * ten + int(shuffled[place]), lgg_share)


def _draw_core(rng: np.random.Generator, is_lgg: bool) -> tuple[float, float]:
    """Enhancement and necrosis."""
    if not is_lgg:
        return float(rng.uniform(0.35, 0.75)), float(rng.uniform(0.6, 1.0))
    has_specks = rng.random() < 0.5
    return (float(rng.uniform(0.01, 0.06)) if has_specks else 0.0), float(rng.uniform(0.0, 0.15))
