"""Training of the segmentation bundle on the label maps of a data store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import monai.bundle
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.utils.others.generic import device_list, name_to_device

from common.cohorts.datasets.siblings import named_by_file
from common.errors import DatasetError, Problem
from common.files import atomic_path, write_json
from common.records import MODALITIES, scan_of
from common.transforms.loading import files_of
from lib.training_request import DEFAULTS, bundle_knobs

FEWEST_PATIENTS = 3
LABEL_VALUES = (1, 2, 3)
"""NCR, ED and ET, as viewers write the names that ``/info`` lists."""


class StoreTraining(TrainTask):
    """Trains ``train.yaml`` of the bundle on what is labelled in the store, and puts the weights in the bundle.

    The run is the bundle's own: it keeps its split, curves and report under ``eval/monai_label``.
    """

    def __init__(self, root: Path) -> None:
        super().__init__("The U-Net of this bundle, trained on the final labels of the data store, split by patient.")
        self.root = root

    def config(self) -> dict[str, Any]:
        """What a request may set; see :mod:`lib.training_request`."""
        return {"device": device_list(), **DEFAULTS}

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train; see :func:`store_records` and :func:`lib.training_request.bundle_knobs` for what is refused."""
        run, weights = self.root / "eval" / "monai_label", self.root / "models" / "model.pt"
        records = store_records(datastore)
        knobs = bundle_knobs(request, patients=len({record["subject"] for record in records}))
        write_json(run / "datalist.json", {"mask_values": list(LABEL_VALUES), "training": records})
        monai.bundle.run(
            run_id="training",
            config_file=str(self.root / "configs" / "train.yaml"),
            bundle_root=str(self.root),
            datalist=str(run / "datalist.json"),
            output_dir=str(run),
            weights=str(run / "model.pt"),
            overwrite=True,
            init_weights=str(weights) if knobs.pop("pretrained") else None,
            device=name_to_device(request.get("device") or "cuda"),
            **knobs,
        )
        with atomic_path(weights) as path:
            shutil.copy(run / "model.pt", path)
        return {"patients": len(records), "weights": str(weights)}


def store_records(datastore: Datastore) -> list[dict[str, Any]]:
    """The labelled patients of a store, each with its modalities: those beside the image that was labelled.

    Raises:
        DatasetError: fewer patients than a split needs; modalities are missing; or a patient has two label maps.
    """
    records: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for pair in datastore.datalist():
        image, label = str(pair["image"]), str(pair["label"])
        named = {key: value for key, value in named_by_file(image).items() if key in ("subject", "scan")}
        try:
            files = {key: path for key, path in files_of(image, MODALITIES).items() if path}
        except DatasetError as error:
            problems += error.problems
            continue
        if scan_of(named) in records:
            problems.append(Problem("the patient has more than one final label", image, "Keep one of them."))
        records[scan_of(named)] = {**named, **files, "seg": label}
    if len({record["subject"] for record in records.values()}) < FEWEST_PATIENTS:
        what = f"{len(records)} patients have a final label; a split needs {FEWEST_PATIENTS}"
        problems.append(Problem(what, "the data store", "Label more of them, then train again."))
    if problems:
        raise DatasetError(problems)
    return list(records.values())
