"""A trained bundle applied to images in memory, by its own ``inference.yaml``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

from common.errors import CheckpointError, Problem, find_glioma_error
from common.knobs import as_bool
from common.records import check_modalities
from common.studies.results import Origin
from common.tasks.metadata import read_metadata

FILES = ("LoadImage", "SaveImage")
"""Parts of the names of transforms that read or write files, by which MONAI Deploy tells them."""

PROCESSING = ("preprocessing", "postprocessing")

INPUTS = {
    "nibabel": "MR series of one study ({series}), registered to each other on one grid and in one frame of reference; "
    "the brain alone, all voxels outside it exactly 0, as in BraTS.",
    "dicom": "MR series of one study ({series}), several of them on one grid and in one frame of reference; slices "
    "are read one by one.",
    "jpg": "MR series ({series}); every slice is read on its own, the series' darkest pixel as 0 and the 99.9th "
    "percentile of those above it as 255.",
}
"""What a bundle reads, by ``data_type`` of its metadata."""


class AppliedBundle:
    """A bundle with its weights, ready to predict.

    Args:
        root: the bundle's folder.
        pictures: which series a bundle for single slices is given.

    Raises:
        CheckpointError: it is no bundle, there are no weights, or those of another bundle.
        PackageError: its metadata are damaged.
        KnobError: ``pictures`` is no modality.
    """

    def __init__(self, root: str | Path, pictures: str = "t1ce") -> None:
        self.root = Path(root)
        config = self.root / "configs" / "inference.yaml"
        if not config.is_file():
            hint = "Pass the folder of a bundle."
            raise CheckpointError(Problem("it holds no bundle: configs/inference.yaml is missing", str(root), hint))
        self.metadata = read_metadata(config.with_name("metadata.json"))
        parser = ConfigParser()
        parser.read_config(str(config))
        parser["bundle_root"] = str(self.root)
        with _our_errors():
            self._build(parser, pictures)

    def _build(self, parser: ConfigParser, pictures: str) -> None:
        get = parser.get_parsed_content
        self.modalities = tuple(get("modalities")) if "modalities" in parser else (pictures,)
        check_modalities(self.modalities)
        self.checkpoint = Path(get("checkpoint"))
        self.network, self.device = get("network").eval(), get("device")
        self.encoder = get("provenance").get("encoder")  # loads the weights too
        self.classes: Sequence[str] | None = list(get("classes")) if "classes" in parser else None
        self.preprocessing, self.postprocessing = (_without_files(get(name)) for name in PROCESSING)
        self.inferer, self.amp = get("inferer"), as_bool(get("amp"), "amp")

    @property
    def data_type(self) -> str:
        """What a patient's files are: one of :data:`INPUTS`."""
        return str(self.metadata["data_type"])

    def origin(self) -> Origin:
        """What a result says of the bundle."""
        return Origin(
            bundle=self.root.resolve().name,
            version=str(self.metadata["version"]),
            weights=hashlib.sha256(self.checkpoint.read_bytes()).hexdigest(),
            task=str(self.metadata["task"]),
            intended_use=str(self.metadata["intended_use"]),
            requirements=INPUTS[self.data_type].format(series=", ".join(self.modalities)),
        )

    def __call__(self, item: Mapping[str, Any]) -> dict[Any, Any]:
        """Predict.

        Args:
            item: ``image`` as the bundle's loader would leave it, a MetaTensor, and the clinical values.

        Returns:
            The item as the bundle's postprocessing leaves it, with ``pred``.

        Raises:
            GliomaError: what the bundle's transforms refuse.
        """
        with _our_errors(), torch.no_grad():
            prepared = self.preprocessing(dict(item))
            image = prepared["image"].to(self.device)
            with torch.autocast(self.device.type, enabled=self.amp):
                logits = self.inferer(image[None], self.network)
            return self.postprocessing({**prepared, "pred": logits[0]})


@contextmanager
def _our_errors() -> Iterator[None]:
    """Raise an error of ours instead of what MONAI wraps it in."""
    try:
        yield
    except Exception as error:
        raise find_glioma_error(error) or error from error


def _without_files(compose: Compose) -> Compose:
    return Compose([part for part in compose.transforms if not any(name in type(part).__name__ for name in FILES)])
