"""A package of the grade bundle with weights of a small network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from common.commands import ROOT
from common.errors import CheckpointError, OutputError, PackageError
from common.networks import FusionClassifier, read_provenance, save_weights
from common.packaging.exports import network_and_example
from common.packaging.package import Package, make_package
from common.packaging.verification import verify_package
from common.vendored import MANIFEST, stamp_of

pytestmark = pytest.mark.slow

GRADE = "glioma_grade_classification"
SETTINGS: dict[str, Any] = {"backbone": "test_resnet", "image_size": [64, 64], "units": [8, 4], "clinical": False}

BARE = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]  # of this repository
sys.path = [place for place in sys.path if place != {root!r}]
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with weights of another network than its default."""
    bundle = tmp_path_factory.mktemp("bundles") / GRADE
    shutil.copytree(ROOT / "bundles" / GRADE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    network = FusionClassifier("test_resnet", in_channels=12, num_classes=2, units=[8, 4])
    save_weights(bundle / "models" / "model.pt", network.state_dict(), {"bundle": GRADE, "settings": SETTINGS})
    return bundle


@pytest.fixture(scope="module")
def packaged(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(trained, tmp_path_factory.mktemp("dist"))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_package_holds(packaged: Package) -> None:
    assert names_in(packaged.folder) == {"LICENSE", "common", "configs", "docs", "models", "requirements.txt", MANIFEST}
    assert names_in(packaged.folder / "models") == {"model.pt", "model.ts", "model.onnx"}
    assert not (packaged.folder / "common" / "phantoms").exists()
    requirements = (packaged.folder / "requirements.txt").read_text().splitlines()
    assert "nibabel>=5.2" in requirements and not [line for line in requirements if line.startswith("-e")]
    assert packaged.weights == ("model.pt",)
    assert read_provenance(packaged.folder / "models" / "model.pt")["settings"] == SETTINGS


def test_the_manifest_names_every_file_and_the_code(packaged: Package) -> None:
    manifest = json.loads((packaged.folder / MANIFEST).read_text())
    found = {str(path.relative_to(packaged.folder)) for path in packaged.folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == found - {MANIFEST}
    assert manifest["common"] == packaged.stamp == stamp_of(packaged.folder / "common")


def test_the_same_bundle_gives_the_same_bytes(packaged: Package, trained: Path, tmp_path: Path) -> None:
    again = make_package(trained, tmp_path)
    assert again.archive.read_bytes() == packaged.archive.read_bytes()


def test_the_zip_is_the_folder_and_names_no_path_of_this_machine(packaged: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(packaged.archive) as archive:
        archive.extractall(tmp_path)
    assert verify_package(tmp_path / GRADE)
    for path in (tmp_path / GRADE).rglob("*"):
        assert not path.is_file() or str(ROOT).encode() not in path.read_bytes(), path
    with zipfile.ZipFile(tmp_path / GRADE / "models" / "model.ts") as script:
        assert not [name for name in script.namelist() if str(ROOT).encode() in script.read(name)]


def test_exports_give_the_logits_of_the_weights(packaged: Package) -> None:
    runtime = pytest.importorskip("onnxruntime")
    network, (example,) = network_and_example(packaged.folder, "inference")
    network.load_state_dict(torch.load(packaged.folder / "models" / "model.pt", weights_only=True))
    image = torch.rand_like(example)
    expected = network.eval()(image)
    scripted = torch.jit.load(packaged.folder / "models" / "model.ts")
    torch.testing.assert_close(scripted(image), expected, rtol=1e-4, atol=1e-4)
    session = runtime.InferenceSession(packaged.folder / "models" / "model.onnx")
    (logits,) = session.run(None, {"image": image.numpy()})
    torch.testing.assert_close(torch.from_numpy(logits), expected, rtol=1e-3, atol=1e-4)


def test_it_works_from_elsewhere_without_this_repository(packaged: Package, tmp_path: Path) -> None:
    """``load`` reads ``train.json``, ``create_workflow`` needs no ``bundle_root``, and nothing is left behind."""
    program = (
        BARE.format(root=str(ROOT))
        + f"""
import torch
from monai.bundle import create_workflow, load
network = load({GRADE!r}, bundle_dir={str(packaged.folder.parent)!r}, device="cpu")
weights = torch.load({str(packaged.folder / "models" / "model.pt")!r}, weights_only=True)
assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
import common
assert common.__file__.startswith({str(packaged.folder)!r}), common.__file__
workflow = create_workflow(
    config_file={str(packaged.folder / "configs" / "train.yaml")!r}, workflow_type="train", logging_file=False
)
print(type(workflow.network_def).__name__)
"""
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "FusionClassifier"
    assert not list(tmp_path.iterdir())


COMMANDS = [
    ["run", "inferring", "--config_file", "configs/inference.yaml"],
    ["ckpt_export", "network_def", "--config_file", "configs/inference.yaml", "--ckpt_file", "models/model.pt"],
    ["ckpt_export", "network_def", "--config_file", "configs/train.yaml", "--ckpt_file", "models/model.pt"],
    ["verify_net_in_out", "network_def", "configs/metadata.json", "configs/inference.yaml"],
]


def test_a_folder_copied_without_its_code_says_what_to_do(trained: Path) -> None:
    """Each command ends in one line; they share a process, since MONAI takes seconds to import."""
    program = f"""
import runpy
for words in {COMMANDS!r}:
    sys.argv[1:] = words
    try:
        runpy.run_module("monai.bundle", run_name="__main__")
    except SystemExit as end:
        print("ENDED", end.code)
"""
    bare = [sys.executable, "-c", BARE.format(root=str(ROOT)) + program]
    done = subprocess.run(bare, cwd=trained, capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if line.startswith("ENDED")]
    assert len(told) == len(COMMANDS), done.stderr[-3000:]
    assert all("common is missing" in line and "make package" in line for line in told)


def test_a_bundle_that_was_not_trained_has_no_weights(trained: Path, tmp_path: Path) -> None:
    untrained = tmp_path / GRADE
    shutil.copytree(trained, untrained, ignore=shutil.ignore_patterns("models"))
    packaged = make_package(untrained, tmp_path / "dist")
    assert packaged.weights == ()
    assert not (packaged.folder / "models").exists()


def test_weights_that_do_not_say_what_they_are_are_not_packaged(trained: Path, tmp_path: Path) -> None:
    bundle = tmp_path / GRADE
    shutil.copytree(trained, bundle)
    weights = torch.load(bundle / "models" / "model.pt", weights_only=True)
    torch.save(dict(weights), bundle / "models" / "model.pt")
    with pytest.raises(CheckpointError, match="records nothing about its training"):
        make_package(bundle, tmp_path / "dist")
    assert names_in(tmp_path / "dist") == {".lock"}


def test_a_folder_of_somebody_else_is_not_replaced(trained: Path, tmp_path: Path) -> None:
    (tmp_path / GRADE).mkdir()
    (tmp_path / GRADE / "results.csv").write_text("mine")
    with pytest.raises(OutputError, match="no package is in the way"):
        make_package(trained, tmp_path)
    assert (tmp_path / GRADE / "results.csv").read_text() == "mine"
    with pytest.raises(OutputError, match="it is no bundle"):
        make_package(tmp_path, tmp_path / "dist")


def test_a_kill_while_a_package_is_replaced_leaves_none_or_a_whole_one(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = make_package(trained, tmp_path, exports=False)
    (tmp_path / ".making-killed" / GRADE).mkdir(parents=True)

    def stop(source: Path, target: Path) -> Path:
        if target == package.folder:
            raise KeyboardInterrupt
        os.replace(source, target)
        return target

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            make_package(trained, tmp_path, exports=False)
    assert not package.folder.exists()
    again = make_package(trained, tmp_path, exports=False)
    assert again.folder.is_dir()
    assert names_in(tmp_path) == {GRADE, package.archive.name, ".lock"}


def test_a_package_is_what_the_zoo_takes(packaged: Package) -> None:
    assert "weights export to TorchScript" in verify_package(packaged.folder)


def test_a_changed_package_is_told_with_all_that_changed(packaged: Package, tmp_path: Path) -> None:
    folder = tmp_path / GRADE
    shutil.copytree(packaged.folder, folder)
    (folder / "LICENSE").unlink()
    (folder / "docs" / "README.md").write_text("other")
    metadata = json.loads((folder / "configs" / "metadata.json").read_text())
    (folder / "configs" / "metadata.json").write_text(json.dumps({**metadata, "version": "9.9.9"}))
    with pytest.raises(PackageError) as caught:
        verify_package(folder)
    for part in ("LICENSE is missing", "docs/README.md was changed", "version 9.9.9 is not in the changelog"):
        assert part in str(caught.value)


def test_the_hugging_face_hub_takes_a_package(packaged: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    from monai.bundle import scripts

    asked: list[tuple[str, dict[str, Any]]] = []

    class Hub:
        """Answers as the Hub would, and notes what it was asked."""

        def __init__(self, token: str | None = None) -> None:
            asked.append(("token", {"token": token}))

        def __getattr__(self, name: str) -> Any:
            return lambda **options: asked.append((name, options)) or f"https://hub/{options['repo_id']}"

    monkeypatch.setattr(scripts.huggingface_hub, "HfApi", Hub)
    told = scripts.push_to_hf_hub("me/grade", GRADE, str(packaged.folder.parent), token="t", version="0.1.0")
    assert told == "https://hub/me/grade"
    assert [name for name, _ in asked] == ["token", "create_repo", "upload_folder", "create_tag"]
    assert asked[2][1] == {"repo_id": "me/grade", "folder_path": str(packaged.folder)}
    assert (packaged.folder / "README.md").read_text().startswith("---\ntags:\n- monai")
