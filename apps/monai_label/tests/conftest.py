"""Bundles with weights, a store of phantoms, what ``inferring`` says of them, and MONAI Label's servers on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import requests

ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "apps" / "monai_label"
STOCK_APP = Path(sys.prefix) / "monailabel" / "sample-apps" / "monaibundle"
START_SECONDS, ANSWER_SECONDS = 300, 300

SEGMENTATION, TUMOUR, MGMT = "glioma_segmentation", "brain_tumor_classification", "mgmt_classification"
SURVIVAL, GRADE = "glioma_survival_classification", "glioma_grade_classification"
VOLUME = "glioma_spatiospatial_classification"
BUNDLES = (SEGMENTATION, GRADE, SURVIVAL, TUMOUR, VOLUME, MGMT)

PLAN = {"gap": 8.0, "centre": 0.0, "intensity": "z_score", "orientation": "RAS", "centre_of": "brain"}
SPACING = [1.0, 1.0, 1.0]
ENCODER = {
    "features": ["age", "resection"],
    "missing_indicators": True,
    "missing_seen": ["resection"],
    "age_range": [20.0, 80.0],
    "mean_age": 50.0,
}
PROVENANCE: dict[str, dict[str, Any]] = {
    SEGMENTATION: {"spacing": SPACING, "stage": 1},
    GRADE: {"slices": PLAN, "spacing": SPACING},
    SURVIVAL: {"slices": PLAN, "spacing": SPACING, "encoder": ENCODER, "classes": ["short", "mid", "long"]},
    MGMT: {"series": {"slices_per_subject": 4, "central_share": 0.6}},
}
PATIENT = "BraTS20_Training_001"
KNOWN = {"age": 30, "resection": "GTR"}


class Server:
    """MONAI Label with an app, as a person starts it.

    Args:
        app: its folder.
        store: the data store.
        home: where it keeps its own files.
        conf: ``--conf`` options.
        code: where it finds this suite's code; ``None`` where packages bring their own.
    """

    def __init__(self, app: Path, store: Path, home: Path, conf: Mapping[str, str], code: Path | None = ROOT) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{port}", home / "server.log"
        given = [word for name, value in conf.items() for word in ("--conf", name, value)]
        command = [sys.executable, "-m", "monailabel.main", "start_server", "--app", str(app), "--studies", str(store)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *given, "--host", "127.0.0.1", "--port", str(port)],
                env=os.environ | {"PYTHONPATH": str(code or ""), "HOME": str(home)},
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/info/", timeout=ANSWER_SECONDS)
                return
            except requests.ConnectionError:
                time.sleep(1)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=60)

    def infer(self, model: str, image: str, output: str = "json", /, **params: Any) -> requests.Response:
        """A request of a client."""
        address = f"{self.url}/infer/{model}?image={image}&output={output}"
        return requests.post(address, files={"params": (None, json.dumps(params))}, timeout=ANSWER_SECONDS)

    def probabilities(self, model: str, image: str, /, **params: Any) -> dict[str, float]:
        """The scores of a classification."""
        answer = self.infer(model, image, **params)
        assert answer.status_code == 200, answer.text
        return {row["label"]: row["score"] for row in answer.json()["prediction"]}

    def label_map(self, image: str, folder: Path) -> nib.Nifti1Image:
        """The file of a segmentation."""
        answer = self.infer(SEGMENTATION, image, "image")
        assert answer.status_code == 200, answer.text
        (folder / "answer.nii.gz").write_bytes(answer.content)
        return nib.load(folder / "answer.nii.gz")


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms in the layouts of the data sets."""
    from common.phantoms.layouts.br35h import make_br35h_phantoms
    from common.phantoms.layouts.brats2020 import make_brats_phantoms
    from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms

    folder = tmp_path_factory.mktemp("phantoms")
    make_brats_phantoms(folder / "brats", patients=3, shape=(64, 64, 48))
    make_br35h_phantoms(folder / "pictures", originals=2, copies=0, side=100)
    make_rsna_phantoms(folder / "series", patients=2, shape=(48, 48, 16))
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six bundles as they are, each with random weights of its own network."""
    import torch
    from monai.bundle import ConfigParser

    from common.networks import save_weights

    folder = tmp_path_factory.mktemp("bundles")
    torch.manual_seed(0)
    for name in BUNDLES:
        left_out = shutil.ignore_patterns("eval", "models")
        shutil.copytree(ROOT / "bundles" / name, folder / name, ignore=left_out)
        parser = ConfigParser(ConfigParser.load_config_file(folder / name / "configs" / "inference.yaml"))
        network = parser.get_parsed_content("network_def")
        provenance = {"bundle": name, **PROVENANCE.get(name, {})}
        save_weights(folder / name / "models" / "model.pt", network.state_dict(), provenance)
    return folder


@pytest.fixture(scope="session")
def bundles(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for this suite's app, which trains in it."""
    return shutil.copytree(made, tmp_path_factory.mktemp("served") / "bundles", copy_function=os.link)


@pytest.fixture(scope="session")
def store(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data store as Label reads it: files side by side, and a DICOM series in a folder and as a NIfTI file."""
    from common.formats.dicom import read_series

    folder = tmp_path_factory.mktemp("store")
    for path in phantoms.glob("brats/**/*.nii.gz"):
        if not path.name.endswith("_seg.nii.gz"):
            shutil.copy(path, folder)
    shutil.copy(next(phantoms.glob("pictures/yes/*.jpg")), folder / "picture.jpg")
    shutil.copytree(next(phantoms.glob("series/**/FLAIR")), folder / "series" / "p00000")
    series = read_series(folder / "series" / "p00000")
    nib.save(nib.Nifti1Image(series.array, series.affine), folder / "scan.nii.gz")
    shutil.copy(folder / f"{PATIENT}_t1ce.nii.gz", folder / "lonely_flair.nii.gz")
    outside = tmp_path_factory.mktemp("outside")
    shutil.copy(folder / f"{PATIENT}_flair.nii.gz", outside / "outside_flair.nii.gz")
    (folder / "linked").symlink_to(outside)
    (folder / "cut_flair.nii.gz").write_bytes((folder / f"{PATIENT}_flair.nii.gz").read_bytes()[:5000])
    return folder


@pytest.fixture(scope="session")
def image_of(store: Path) -> dict[str, str]:
    """What a request names, for each bundle."""
    return {**dict.fromkeys(BUNDLES, f"{PATIENT}_t1ce"), TUMOUR: "picture", MGMT: "series/p00000"}


@pytest.fixture(scope="session")
def expected(made: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``inferring`` says of the same patients: class indices, or the probability of each class."""
    results = tmp_path_factory.mktemp("results")
    brain = files_of_patient(store)
    given = {
        SEGMENTATION: brain,
        GRADE: brain,
        SURVIVAL: [*brain, *(word for name, value in KNOWN.items() for word in (f"--{name}", str(value)))],
        VOLUME: ["--t1ce", str(store / f"{PATIENT}_t1ce.nii.gz")],
        TUMOUR: ["--dataset_dir", str(store / "picture.jpg")],
        MGMT: ["--flair", str(store / "series" / "p00000")],
    }
    return {name: inferring(made / name, results / name, words) for name, words in given.items()}


def files_of_patient(store: Path) -> list[str]:
    """The patient's files as words of a command."""
    names = ("flair", "t1", "t1ce", "t2")
    return [word for name in names for word in (f"--{name}", str(store / f"{PATIENT}_{name}.nii.gz"))]


def inferring(root: Path, output: Path, words: Sequence[str]) -> Any:
    """Apply a bundle by its own command."""
    command = [sys.executable, "-m", "monai.bundle", "run", "inferring", "--bundle_root", str(root), "--device", "cpu"]
    config = ["--config_file", str(root / "configs" / "inference.yaml"), "--output_dir", str(output)]
    done = subprocess.run(
        [*command, *config, *words], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if root.name == SEGMENTATION:
        stored = np.asanyarray(nib.load(next(output.glob("*_seg.nii.gz"))).dataobj)
        return np.where(stored == 4, 3, stored)
    row = pd.read_csv(output / "predictions.csv").iloc[0]
    return {name.removeprefix("p_").lower(): float(row[name]) for name in row.index if name.startswith("p_")}


@pytest.fixture(scope="session")
def server(bundles: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """This suite's app."""
    server = Server(APP, store, tmp_path_factory.mktemp("home"), {"bundles": str(bundles)})
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stock_server(made: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Label's own ``monaibundle`` app with packages of the six bundles."""
    from common.packaging import make_package

    folder = tmp_path_factory.mktemp("stock")
    shutil.copytree(STOCK_APP, folder / "app")
    for name in BUNDLES:
        package = make_package(made / name, folder / "packages", exports=False)
        shutil.copytree(package.folder, folder / "app" / "model" / name)
    conf = {"models": ",".join(BUNDLES), "zoo_source": "local", "sam2": "false", "skip_trainers": "true"}
    server = Server(folder / "app", store, folder, conf, code=None)
    yield server
    server.stop()
