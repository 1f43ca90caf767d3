"""Age and extent of resection as numbers beside the image, scaled by the values of the training side.

A value that is not recorded is never silently replaced by zero: it is an error, unless the network was trained on
patients without it; then the network gets an indicator.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from common.cohorts.clinical_values import parse_clinical
from common.cohorts.features import EXAMPLES, FEATURES, parse_features, parse_given
from common.cohorts.labels.permutation import permute_labels
from common.cohorts.labels.survival import label_survival
from common.cohorts.labels.survival_classes import SurvivalClasses
from common.errors import CheckpointError, DatasetError, KnobError, Problem
from common.formats.tables import as_text
from common.knobs import as_bool
from common.names import name_some
from common.records import Record, value_of

RESECTIONS = ("GTR", "STR")
UNKNOWN = "Write NA where it is not known."
Features = str | Iterable[str] | None


def clinical_features(clinical: bool | str, features: Features) -> Features:
    """The features that the network is given: none of them where the knob ``clinical`` is false."""
    return features if as_bool(clinical, "clinical") else []


def clinical_width(features: Features, missing_indicators: bool | str) -> int:
    """The number of a patient's encoded values: age 1, or 2 with an indicator; resection 2."""
    widths = {"age": 2 if as_bool(missing_indicators, "missing_indicators") else 1, "resection": len(RESECTIONS)}
    return sum(widths[name] for name in parse_features(features))


@dataclass(frozen=True)
class ClinicalEncoder:
    """Clinical values of a patient as ``width`` floats, in the order of :data:`~common.cohorts.features.FEATURES`.

    Age is 0 at the youngest and 1 at the oldest training patient (beyond them outside [0, 1]), followed, with
    ``missing_indicators``, by 1 where it is not recorded and 0 where it is. Resection is [GTR, STR], both 0 where it is
    not recorded.

    Args:
        features: that the network is given.
        missing_indicators: whether the network gets an indicator that an age is not recorded.
        missing_seen: the features that some training patients lack; only these may be missing later.
        age_range: years of the youngest and of the oldest training patient; empty without the feature age.
        mean_age: of the training patients, in years; replaces an age that is not recorded.
    """

    features: tuple[str, ...]
    missing_indicators: bool = False
    missing_seen: tuple[str, ...] = ()
    age_range: tuple[float, ...] = ()
    mean_age: float = 0.0

    @property
    def width(self) -> int:
        """How many numbers :meth:`encode` returns."""
        return clinical_width(self.features, self.missing_indicators)

    def missing(self, record: Mapping[str, Any]) -> list[str]:
        """The features that a record lacks and must not lack."""
        return [name for name in self.features if record.get(name) is None and name not in self.missing_seen]

    def encode(self, record: Mapping[str, Any]) -> list[float]:
        """The numbers of one patient.

        Raises:
            DatasetError: a value is not recorded, and nobody without it was in training.
        """
        missing = self.missing(record)
        if missing:
            where = str(record.get("subject", "the patient"))
            raise DatasetError([Problem(f"no {name} is recorded", where, _hint(name)) for name in missing])
        numbers = []
        if "age" in self.features:
            numbers += self._encode_age(record.get("age"))
        if "resection" in self.features:
            numbers += [float(record.get("resection") == name) for name in RESECTIONS]
        return numbers

    def _encode_age(self, age: float | None) -> list[float]:
        youngest, oldest = self.age_range
        known = self.mean_age if age is None else float(age)
        scaled = (known - youngest) / (oldest - youngest) if oldest > youngest else 0.0
        return [scaled, float(age is None)] if self.missing_indicators else [scaled]

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint that is loaded with ``weights_only=True``.

        Returns:
            Lists, text and numbers; :meth:`from_json` reads them.
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any] | None) -> ClinicalEncoder:
        """The inverse of :meth:`to_json`; ``None`` or empty is an encoder without features.

        Raises:
            CheckpointError: it is no encoder.
        """
        if not content:
            return cls(())
        try:
            return cls(
                features=tuple(content["features"]),
                missing_indicators=bool(content["missing_indicators"]),
                missing_seen=tuple(content["missing_seen"]),
                age_range=tuple(content["age_range"]),
                mean_age=float(content["mean_age"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            hint = "Use a checkpoint written by this suite."
            raise CheckpointError(
                Problem(f"it holds no clinical encoder ({error!r})", "the checkpoint", hint)
            ) from error


def fit_clinical(
    train_records: Sequence[Record],
    features: Features,
    missing_indicators: bool | str,
    learnt: Mapping[str, Any] | None = None,
) -> ClinicalEncoder:
    """The encoder of a run, from its training side alone; or that of the weights, where weights are judged.

    Args:
        train_records: the training side.
        features: a list or comma-separated text; empty for none.
        missing_indicators: as for :class:`ClinicalEncoder`.
        learnt: provenance of the weights to judge; the ``encoder`` in it is taken.

    Raises:
        KnobError: an unknown feature, or some training patients have no age and indicators were not asked for.
        DatasetError: no training patient has one of the features.
    """
    if learnt and "encoder" in learnt:
        return ClinicalEncoder.from_json(learnt["encoder"])
    names = parse_features(features)
    indicators = as_bool(missing_indicators, "missing_indicators")
    known = {
        name: [value_of(record, name) for record in train_records if record.get(name) is not None] for name in names
    }
    absent = [name for name in names if not known[name]]
    if absent:
        hint = "Leave it out of --clinical_features, or pass a data set whose tables have it."
        where = "the training side of the split"
        raise DatasetError([Problem(f"no patient has a recorded {name}", where, hint) for name in absent])
    missing_seen = tuple(name for name in names if len(known[name]) < len(train_records))
    if "age" in missing_seen and not indicators:
        what = f"{len(train_records) - len(known['age'])} of {len(train_records)} training patients have no age"
        hint = "Pass --missing_indicators true, leave age out of --clinical_features, or exclude them."
        raise KnobError(Problem(what, "--missing_indicators", hint))
    ages = [float(age) for age in known.get("age", ())]
    if not ages:
        return ClinicalEncoder(names, indicators, missing_seen)
    return ClinicalEncoder(names, indicators, missing_seen, (min(ages), max(ages)), sum(ages) / len(ages))


def add_clinical(records: Sequence[Record], encoder: ClinicalEncoder) -> list[Record]:
    """Add the encoded clinical values to records.

    Args:
        records: the patients.
        encoder: of the clinical values.

    Returns:
        Copies with ``clinical``, a list of ``encoder.width`` floats, where that is not 0.

    Raises:
        DatasetError: patients lack a value that the training side had for everybody; all of them at once.
    """
    if not encoder.features:
        return [record.copy() for record in records]
    problems = []
    for name in encoder.features:
        lacking = {str(record["subject"]) for record in records if name in encoder.missing(record)}
        if lacking:
            what = f"no {name} is recorded for {name_some(lacking)}"
            hint = (
                f"All training patients had one: add it (of one patient with --{name}), exclude these patients, or "
                "train without it by --clinical_features."
            )
            problems.append(Problem(what, "the cohort", hint))
    if problems:
        raise DatasetError(problems)
    return [{**record, "clinical": encoder.encode(record)} for record in records]


def label_cases(
    cases: Sequence[Record],
    encoder: ClinicalEncoder,
    permute: bool | str = False,
    seed: int = 0,
    survival: SurvivalClasses | None = None,
) -> list[Record]:
    """Add to cases what a network is trained with beside the images: ``label``, and perhaps ``clinical``.

    Args:
        cases: with ``label``, or with survival times where there are classes of survival.
        encoder: of the clinical values.
        permute: the knob ``permute_labels``; shuffle the labels between patients.
        seed: of the shuffling.
        survival: the classes to label survival by; patients whose class is uncertain are left out.

    Returns:
        Copies of the cases.

    Raises:
        DatasetError: patients lack a value that the training side had for everybody; all of them at once.
    """
    labelled = list(cases) if survival is None else label_survival(cases, survival)
    return add_clinical(permute_labels(labelled, permute, seed), encoder)


def refuse_unused(given: Mapping[str, Any] | None, encoder_json: Mapping[str, Any] | None) -> None:
    """Refuse clinical values on the command line that the network is not given: they would change nothing.

    Raises:
        KnobError: names every such value.
    """
    features = ClinicalEncoder.from_json(encoder_json).features
    unused = [name for name in parse_given(given) if name not in features]
    if unused:
        hint = "Leave it out, or use a network that was trained with it."
        raise KnobError([Problem("this network does not read it", f"--{name}", hint) for name in unused])


class EncodeClinicald(MapTransform):
    """Turn the raw ``age`` and ``resection`` of an item into ``clinical``, float32 (width,).

    The raw values, numbers or text, are removed from the item. A network without clinical values gets no ``clinical``.
    The image's metadata hold it too: MONAI Label gives the network's inferer nothing but the image
    (see :class:`~common.networks.BagInferer`).

    Args:
        encoder_json: from the checkpoint, :meth:`ClinicalEncoder.to_json`; nothing for a network without
            clinical values.

    Raises:
        DatasetError: a value is invalid; or the item says nothing of it; or it is not known, and the network was not
            trained on patients without it; all at once.
    """

    def __init__(self, encoder_json: Mapping[str, Any] | None) -> None:
        super().__init__("image", allow_missing_keys=True)
        self.encoder = ClinicalEncoder.from_json(encoder_json)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        raw = {name: item.pop(name, None) for name in FEATURES}
        if not self.encoder.features:
            return item
        subject = str(item.get("subject", "the patient"))
        values, problems = parse_clinical({name: raw[name] for name in self.encoder.features}, subject)
        missing = [name for name in self.encoder.missing(values) if not as_text(raw[name])]
        problems += [Problem(f"no {name} is given", subject, _hint(name)) for name in missing]
        unsaid = [name for name in self.encoder.features if name not in data and name not in missing]
        problems += [Problem(f"no {name} is given", subject, f"{EXAMPLES[name]} {UNKNOWN}") for name in unsaid]
        if problems:
            raise DatasetError(problems)
        encoded = self.encoder.encode(values)
        item["clinical"] = torch.tensor(encoded, dtype=torch.float32)
        if isinstance(item.get("image"), MetaTensor):
            item["image"].meta["clinical"] = encoded
        return item


def _hint(name: str) -> str:
    return f"{EXAMPLES[name]} The network was not trained on patients without it."
