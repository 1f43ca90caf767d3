"""A package from Python, with nothing of this project but what lies in the package.

Run by its path in a :class:`BareEnvironment`: ``python python_program.py '<settings as JSON>'``. It writes
``<output>/<part>.json`` for each part that worked, and tells the others' errors.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

CONFIGS = {"training": ["train"], "evaluating": ["train", "evaluate"], "inferring": ["inference"]}


def run_workflows(package: Path, output: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """``monai.bundle.run`` three times, and ``ckpt_export``."""
    import monai.bundle

    for run_id, configs in CONFIGS.items():
        files = [str(package / "configs" / f"{name}.yaml") for name in configs]
        config_file = files if len(files) > 1 else files[0]
        monai.bundle.run(run_id, config_file=config_file, bundle_root=str(package), **settings[run_id])
    monai.bundle.ckpt_export(
        net_id="network_def",
        filepath=settings["exported"],
        ckpt_file=str(package / "models" / "model.pt"),
        meta_file=str(package / "configs" / "metadata.json"),
        config_file=str(package / "configs" / "inference.yaml"),
        bundle_root=str(package),
    )
    return {}


def load_network(package: Path, output: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """``monai.bundle.load``: how far its weights, and what it says of noise, are from the file and from TorchScript."""
    import torch
    from monai.bundle import load

    network: Any = load(package.name, bundle_dir=str(package.parent), device="cpu")
    network.eval()
    weights = torch.load(package / "models" / "model.pt", weights_only=True)
    loaded = network.state_dict()
    assert loaded.keys() == weights.keys()
    script = torch.jit.load(str(package / "models" / "model.ts")).eval()
    image = torch.rand(2, *settings["shape"], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        apart = float((network(image) - script(image)).abs().max())
    return {"same_weights": all(torch.equal(loaded[name], weights[name]) for name in weights), "apart": apart}


def train_as_client(package: Path, output: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """``MonaiAlgo`` judges the package's weights and trains on from them."""
    import torch
    from monai.fl.client import MonaiAlgo
    from monai.fl.utils.constants import ExtraItems, ModelType
    from monai.fl.utils.exchange_object import ExchangeObject

    client = MonaiAlgo(
        bundle_root=str(package),
        config_train_filename=["configs/train.yaml"],
        config_evaluate_filename=["configs/train.yaml", "configs/evaluate.yaml"],
        train_kwargs=dict(settings["client"]),
        eval_kwargs=dict(settings["client"]),
        send_weight_diff=False,
    )
    client.initialize({ExtraItems.CLIENT_NAME: "site"})
    start = dict(torch.load(package / "models" / "model.pt", weights_only=True))
    client.evaluate(ExchangeObject(weights=dict(start)))
    client.train(ExchangeObject(weights=dict(start)))
    best = client.get_weights({ExtraItems.MODEL_TYPE: ModelType.BEST_MODEL}).weights
    return {"moved": any(not torch.equal(torch.as_tensor(best[name]), start[name]) for name in start)}


PARTS = {"python": run_workflows, "load": load_network, "client": train_as_client}


def main() -> int:
    """Try all parts, each on its own copy of the package."""
    settings = json.loads(sys.argv[1])
    output = Path(settings["output"])
    for part, work in PARTS.items():
        try:
            told = work(Path(settings["packages"][part]), output, settings)
        except (Exception, SystemExit):
            sys.stderr.write(f"--- {part}\n{traceback.format_exc()}\n")
        else:
            (output / f"{part}.json").write_text(json.dumps(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
