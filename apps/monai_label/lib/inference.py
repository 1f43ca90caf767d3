"""A bundle as a task of MONAI Label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monailabel.interfaces.tasks.infer_v2 import InferType
from monailabel.tasks.infer.bundle import BundleInferTask

from common.cohorts.features import FEATURES
from common.networks import read_provenance
from common.packaging.trained_network import BACKGROUND, describe_network
from common.tasks.metadata import read_metadata
from common.transforms import refuse_unused

TYPES = {"image": InferType.SEGMENTATION, "probabilities": InferType.CLASSIFICATION}
"""By the type of the output in a bundle's metadata."""

PICTURES = "jpg"
WEIGHTS = Path("models") / "model.pt"


class BundleTask(BundleInferTask):
    """Label's own task of a bundle, told from its metadata; it opens the bundle anew when its weights change."""

    def __init__(self, root: Path, conf: dict[str, str]) -> None:
        self.root, self.conf = root, conf
        self._open()

    def _open(self) -> None:
        self.opened = self._changed()
        path = self.root / "configs" / "metadata.json"
        metadata = read_metadata(path)
        network = json.loads(describe_network(path.read_text(encoding="utf-8"), read_provenance(self.root / WEIGHTS)))
        output = next(iter(network["network_data_format"]["outputs"].values()))
        super().__init__(str(self.root), self.conf, type=TYPES[output["type"]], load_strict=True)
        self.dimension = 2 if metadata["data_type"] == PICTURES else 3
        self.labels = {name.lower(): int(index) for index, name in output["channel_def"].items() if name != BACKGROUND}
        self._config["model_filename"] = [WEIGHTS.name]

    def __call__(self, request: dict[str, Any], callbacks: Any = None) -> Any:
        """Answer a request.

        Raises:
            KnobError: it gives a value that the network does not read.
        """
        if self._changed() != self.opened:
            self._open()
        provenance = self.bundle_config.get_parsed_content("provenance")
        refuse_unused({name: request.get(name) for name in FEATURES}, provenance.get("encoder"))
        return super().__call__(request, callbacks)

    def _changed(self) -> int:
        return (self.root / WEIGHTS).stat().st_mtime_ns
