"""Nothing that a DICOM header says of a person is in anything that our programs write.

What folders and files are called is another matter: those names are the ids by which a person calls the patients.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import shutil
import zipfile
from base64 import b64encode
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from common.cohorts.datasets.rsna_miccai import SERIES_FOLDERS
from common.phantoms.writing.dicom_writer import write_slice
from scripts import check_dataset, check_split
from tests.bundles.lifecycle import refused
from tests.marked_dicom import MARK, find_marks, mark_files, written_bytes

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

BUNDLE = "mgmt_classification"


def marks_in(*folders: Path) -> set[str]:
    """What was found, and in which file."""
    return {f"{path.name}: {mark}" for path, part in written_bytes(folders) for mark in find_marks(part)}


@pytest.fixture(scope="module")
def marked_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight patients with series of six slices, whose headers are full of marks."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for patient, modality in product(range(8), SERIES_FOLDERS.values()):
        folder = root / "train" / f"{patient:05d}" / modality
        folder.mkdir(parents=True)
        for number, pixels in enumerate(random.integers(0, 900, (6, 32, 32)).astype(np.int16)):
            place = (0, 0, float(number))
            write_slice(folder / f"Image-{number}.dcm", pixels, place, (1, 1), str(folder), number=number)
    (root / "train_labels.csv").write_text("BraTS21ID,MGMT_value\n" + "".join(f"{n},{n % 2}\n" for n in range(8)))
    marks = mark_files(root.rglob("*.dcm"))
    assert len(marks) > 700
    assert {"PatientName", "PatientBirthDate", "InstitutionName", "DeviceSerialNumber", "private"} <= marks.keys()
    one = next(root.rglob("*.dcm")).read_bytes()
    assert [name for name, mark in marks.items() if mark.encode() not in one] == ["SeriesInstanceUID"]  # one a folder
    return root


def test_a_whole_life_of_the_bundle(
    start: Start,
    marked_dir: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, cache = tmp_path / "run", tmp_path / "cache"
    monkeypatch.setenv("GLIOMA_CACHE_DIR", str(cache))
    where = {"bundle": BUNDLE, "dataset_dir": str(marked_dir), "slice_panels": 2}
    with caplog.at_level(logging.DEBUG):
        start(run, "train", epochs=1, **where).run()
        start(run, "train", "evaluate", **where).run()
        start(run, "inference", gradcam="true", output_dir=str(run / "predictions"), **where).run()
        check_dataset.main([str(marked_dir)])
        check_split.main([str(split_of(marked_dir, tmp_path / "list.json")), "--output", str(run / "audit")])
    names = {path.name for path in run.rglob("*") if path.is_file()}
    assert {"report.html", "predictions.csv", "model.pt", "audit.html"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert any(path.suffix == ".npy" for path in cache.rglob("*"))
    assert not marks_in(run, cache)
    told = capfd.readouterr()
    assert "What is there" in told.out
    assert not find_marks(f"{told.out}{told.err}{caplog.text}".encode())


def split_of(root: Path, path: Path) -> Path:
    """A list of the patients' FLAIR series on two sides."""
    folders = sorted((root / "train").glob("*/FLAIR"))
    entries = [{"subject": folder.parent.name, "image": str(folder)} for folder in folders]
    path.write_text(json.dumps({"training": entries[:5], "test": entries[5:]}))
    return path


def test_messages_of_what_is_wrong(
    start: Start, marked_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Files cut in the header and in the pixels, two series in a folder, bytes that are no image, no DICOM at all."""
    root = tmp_path / "data"
    shutil.copytree(marked_dir, root)
    first, second, third, fourth = sorted((root / "train").glob("*/FLAIR"))[:4]
    cut = sorted(first.iterdir())
    cut[0].write_bytes(cut[0].read_bytes()[:900])
    cut[1].write_bytes(cut[1].read_bytes()[:-700])
    for number, path in enumerate((second.parent / "T2w").iterdir()):
        shutil.copy(path, second / f"other{number}.dcm")
    next(third.iterdir()).write_bytes(b"\0" * 128 + b"DICM" + f"{MARK}".encode() * 500)
    for path in fourth.iterdir():
        path.write_bytes(path.read_bytes().replace(b"DICM", b"DICN"))
    with caplog.at_level(logging.DEBUG):
        message = str(refused(start, tmp_path / "run", "train", bundle=BUNDLE, dataset_dir=str(root)))
        assert check_dataset.main([str(root)]) == 1
    told = capfd.readouterr()
    assert all(str(folder) in message for folder in (first, second, fourth))
    assert not find_marks(f"{message}{told.out}{told.err}{caplog.text}".encode())


def test_the_search_finds_what_is_compressed_or_encoded(tmp_path: Path) -> None:
    text = f"a {MARK}1^Jane b".encode()
    (tmp_path / "plain.txt").write_bytes(b"x" * 50 + text)
    (tmp_path / "wide.txt").write_bytes("18710203".encode("utf-16"))
    (tmp_path / "date.txt").write_text("born 1871-02-03")
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"\0" * 500 + text))
    np.savez_compressed(tmp_path / "a.npz", a=np.frombuffer(text, np.uint8))
    torch.save({"who": text.decode()}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/a.gz", gzip.compress(text * 50))
    info = PngImagePlugin.PngInfo()
    info.add_text("who", text.decode(), zip=True)
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)).save(buffer, "PNG", pnginfo=info)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    encoded = b64encode(buffer.getvalue()).decode()
    (tmp_path / "a.html").write_text(f'<img src="data:image/png;base64,{encoded}">')
    (tmp_path / f"{MARK}.txt").touch()
    found = {line.partition(": ")[0] for line in marks_in(tmp_path)}
    assert found == {path.name for path in tmp_path.iterdir()}
