"""What other programs do with a bundle, in process: MONAI Label's task and MONAI Deploy's operator, without a server.

Both are written after the programs' own code, step by step and in the same order, with nothing that would help:
``monailabel/tasks/infer/bundle.py`` and ``basic_infer.py`` of MONAI Label 0.8.5, and
``monai/deploy/operators/monai_bundle_inference_operator.py`` of MONAI Deploy App SDK 4.0.0.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, MapTransform, SaveImaged

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"


def write_bundle(folder: Path, bundle: str, weights: Path, **knobs: Any) -> Path:
    """A copy of a bundle with weights and other defaults: neither program passes knobs.

    Args:
        folder: new.
        bundle: its name.
        weights: for ``models/model.pt``.
        knobs: defaults to change in ``inference.yaml``; those that it does not know are left out.

    Returns:
        The bundle's root.
    """
    root = folder / bundle
    shutil.copytree(BUNDLES / bundle, root, ignore=shutil.ignore_patterns("eval", "models"))
    (root / "models").mkdir()
    shutil.copy(weights, root / "models" / "model.pt")
    config = root / "configs" / "inference.yaml"
    text = config.read_text()
    for knob, value in knobs.items():
        text = re.sub(rf"^{knob}: .*?(?=  #)", f"{knob}: {json.dumps(value)}", text, flags=re.MULTILINE)
    config.write_text(text)
    return root


class LabelTask:
    """A bundle in MONAI Label: ``BundleInferTask`` with the arguments that the ``monaibundle`` app gives it."""

    def __init__(self, root: Path) -> None:
        self.root, self.config = root, ConfigParser()
        self.config.read_config(root / "configs" / "inference.yaml")
        self.config.config.update({"bundle_root": str(root)})
        self.network = self.config.get_parsed_content("network_def", instantiate=True)
        checkpoint = torch.load(root / "models" / "model.pt", map_location="cpu", weights_only=True)
        self.network.load_state_dict(checkpoint.get("model", checkpoint), strict=False)
        self.network.eval()
        metadata = json.loads((root / "configs" / "metadata.json").read_text())
        self.key_image, image = next(iter(metadata["network_data_format"]["inputs"].items()))
        self.key_pred, pred = next(iter(metadata["network_data_format"]["outputs"].items()))
        self.dimension = len(image["spatial_shape"])
        self.labels = {name.lower(): int(index) for index, name in pred["channel_def"].items() if name != "background"}

    def infer(self, image: str | None, **params: Any) -> dict[str, Any]:
        """Answer a request: ``params`` of the client are merged into the item."""
        config = {"device": ["cpu"], "model_filename": ["model.pt"]}
        data = {**config, "model": self.root.name, "image": image, "description": "…", **params, "device": "cpu"}
        data["image_path"] = data["image"]
        for transform in self._transforms("preprocessing"):
            data = transform(data)
            data.setdefault("latencies", {})[type(transform).__name__] = 0.0
        inferer = self.config.get_parsed_content("inferer", instantiate=True)
        inputs = data[self.key_image]
        inputs = (inputs if torch.is_tensor(inputs) else torch.from_numpy(inputs))[None].to(torch.device("cpu"))
        with torch.no_grad():
            data[self.key_pred] = inferer(inputs, self.network)[0]
        for transform in self._transforms("postprocessing"):
            data = transform(data)
        return self._restored(data)

    def probabilities(self, image: str, **params: Any) -> dict[str, float]:
        """``ClassificationWriter``: the array of a MetaTensor, a score per class."""
        pred = self.infer(image, **params)[self.key_pred]
        assert pred.array.ndim == 1
        names = {index: name for name, index in self.labels.items()}
        return {names[index]: float(score) for index, score in enumerate(pred)}

    def label_map(self, image: str, **params: Any) -> tuple[np.ndarray, np.ndarray]:
        """``Writer``: the array (x, y, z) and the affine that are written to the file a client gets."""
        pred = self.infer(image, **params)[self.key_pred]
        return pred.array, np.asarray(pred.affine)

    def _transforms(self, name: str) -> list[Any]:
        chain = self.config.get_parsed_content(name, instantiate=True)
        return [transform for transform in chain.transforms if not isinstance(transform, SaveImaged)]

    def _restored(self, data: dict[str, Any]) -> dict[str, Any]:
        """``Restored``: resized to the shape that the image's metadata name; one channel of four axes is dropped."""
        image, result = data[self.key_image], data[self.key_pred]
        meta = image.meta if isinstance(image, MetaTensor) else data.get(f"{self.key_image}_meta_dict", {})
        current = result.shape[1:]
        spatial = meta.get("spatial_shape", current)[-len(current) :]
        assert not np.any(np.not_equal(current, spatial)), "the server would resize the result"
        data[self.key_pred] = result[0] if len(result.shape) > 3 and result.shape[0] == 1 else result
        return data


class DeployOperator:
    """A bundle in MONAI Deploy: ``MonaiBundleInferenceOperator`` on a folder.

    Args:
        root: of the bundle. The operator puts it on ``sys.path``, for the rest of the process; the test takes it away.
        bundle_root: set by an app, since the operator leaves it at the config's own.
    """

    def __init__(self, root: Path, bundle_root: str | None = None) -> None:
        sys.path.insert(0, str(root))
        self.parser = ConfigParser()
        self.parser.read_meta(json.loads((root / "configs" / "metadata.json").read_text()))
        name = next(name for name in ("inference.json", "inference.yaml") if (root / "configs" / name).exists())
        self.parser.read_config([root / "configs" / name])
        if bundle_root:
            self.parser["bundle_root"] = bundle_root
        self.parser["device"] = "cpu"
        self.parser.parse()
        self.preprocessing, self.postprocessing = self._compose("preprocessing"), self._compose("postprocessing")
        self.inferer = self.parser.get_parsed_content("inferer")
        formats = self.parser["_meta_"]["network_data_format"]
        self.inputs, self.outputs = formats["inputs"], formats["outputs"]
        self.network = self.parser.get_parsed_content("network")
        checkpoint = torch.load(root / "models" / "model.pt", map_location="cpu", weights_only=True)
        self.network.load_state_dict(checkpoint.get("model", checkpoint), strict=True)
        self.network.eval()

    def _compose(self, name: str) -> Compose:
        compose = self.parser.get_parsed_content(name)
        kept = [
            t for t in compose.transforms if not any(word in type(t).__name__ for word in ("LoadImage", "SaveImage"))
        ]
        compose.transforms = tuple(kept)
        assert isinstance(kept[0], MapTransform), "the operator would call it with bare tensors"
        return compose

    def compute(self, image: np.ndarray, affine: np.ndarray, channel_dim: Any = "no_channel", **values: Any) -> Any:
        """The output for an image in memory; ``values`` are what an app adds to the item."""
        meta = {"affine": affine, "original_affine": affine.copy(), "original_channel_dim": channel_dim}
        meta["spatial_shape"] = np.asarray(image.shape[:3])
        inputs = {"image": MetaTensor.ensure_torch_and_prune_meta(image, meta), **values}
        with torch.no_grad():
            inputs = self.preprocessing(inputs)
            first = inputs.pop("image")
            others = {key: value[None] for key, value in inputs.items() if isinstance(value, torch.Tensor)}
            others |= {
                key: inputs[key] for key in list(self.inputs)[1:] if not isinstance(inputs.get(key), torch.Tensor)
            }
            outputs = self.inferer(inputs=first[None], network=self.network, **others)
            result = self.postprocessing({"pred": outputs[0], **inputs, "image": first})["pred"]
        assert isinstance(first.meta, dict)
        return result.cpu().numpy()
