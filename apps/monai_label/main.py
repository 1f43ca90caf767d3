"""A MONAI Label app that serves the bundles of this suite; see docs/monai_label.md.

It adds to Label's own ``monaibundle`` app: DICOM series of the store, values of the patient, training from the store,
messages for clients, and paths that stay inside the store. It fetches nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from fastapi import HTTPException
from lib.inference import WEIGHTS, BundleTask
from lib.training import StoreTraining
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.exception import MONAILabelException
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.train import TrainTask

from common import __version__
from common.errors import DatasetError, Problem, find_glioma_error

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
SEGMENTATION = "glioma_segmentation"


class GliomaApp(MONAILabelApp):
    """The bundles that have weights; ``--conf bundles <folder>`` names another folder that holds them."""

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        self.roots = {path.parent.parent.name: path.parent.parent for path in _weights(conf)}
        description = "For research use only. " + _told(self.roots)
        super().__init__(app_dir, studies, conf, name="Glioma bundles", description=description, version=__version__)

    def init_infers(self) -> dict[str, InferTask]:
        """A task for each bundle that has weights."""
        return {name: BundleTask(root, self.conf) for name, root in self.roots.items()}

    def init_trainers(self) -> dict[str, TrainTask]:
        """The segmentation learns from the label maps of the store, with or without weights to start from."""
        root = self.conf_bundles / SEGMENTATION
        return {SEGMENTATION: StoreTraining(root)} if root.is_dir() else {}

    @property
    def conf_bundles(self) -> Path:
        """The folder of the bundles."""
        return Path(self.conf.get("bundles", BUNDLES))

    def infer(self, request: dict[str, Any], datastore: Any = None) -> Any:
        """Answer a request; what a person did wrong is answered with its message."""
        try:
            return super().infer({**request, "image": self._inside(request)}, datastore)
        except Exception as error:
            raise _answer(error) from error

    def batch_infer(self, request: dict[str, Any], datastore: Any = None) -> Any:
        """Answer for all images of the store; Label's default, several GPUs, fails where there is none."""
        several = request.get("multi_gpu", True) and torch.cuda.is_available()
        try:
            return super().batch_infer({**request, "multi_gpu": several}, datastore)
        except Exception as error:
            raise _answer(error) from error

    def train(self, request: dict[str, Any]) -> Any:
        """Train, in a process of its own unless ``run_sync`` is asked for."""
        try:
            return super().train(request)
        except Exception as error:
            raise _answer(error) from error

    def _inside(self, request: Mapping[str, Any]) -> str:
        """The image of a request: an id of the store, a DICOM series' folder in it, or a file that the viewer sent.

        Raises:
            DatasetError: it is none of them.
        """
        image = str(request.get("image") or "")
        if image and self.datastore().get_image_uri(image):
            return image
        store = Path(self.studies).resolve()
        path = (store / image).resolve()
        sessions = self.sessions()
        folders = [store, *([Path(sessions.store_path).resolve()] if sessions else [])]
        sent = path.parent == Path(tempfile.gettempdir()).resolve() and path.name.startswith("tmp")
        inside = any(path != folder and path.is_relative_to(folder) for folder in folders)
        if image and path.exists() and (sent or inside):
            return str(path)
        hint = "Name an id that /datastore lists, or the folder of a DICOM series by its place in the data store."
        raise DatasetError(Problem("there is no such image in the data store", image or "image", hint))


def _weights(conf: Mapping[str, str]) -> list[Path]:
    return sorted(Path(conf.get("bundles", BUNDLES)).resolve().glob(f"*/{WEIGHTS}"))


def _told(roots: Mapping[str, Path]) -> str:
    return f"Bundles with weights: {', '.join(roots)}." if roots else "No bundle has weights yet (models/model.pt)."


def _answer(error: Exception) -> Exception:
    """What a client is told; an error of the program itself stays what it is."""
    if ours := find_glioma_error(error):
        return HTTPException(status_code=400, detail=str(ours))
    if isinstance(error, MONAILabelException):
        return HTTPException(status_code=404, detail=str(error.msg))
    return error
