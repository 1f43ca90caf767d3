"""What must hold after a mishap, and what a life must end with."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from common.packaging.archive import checksums
from common.vendored import MANIFEST
from tests.soak.lives import Life

MESSAGE = re.compile(r"^(\w+Error): (.+)$", re.MULTILINE)
TRACEBACK = "Traceback (most recent call last)"
EQUAL_NAMES = ("metrics.json", "split.json", "predictions.json")
EQUAL_ENDINGS = (".csv", ".pt", ".zip", ".gz")
"""Of files that are the same, byte by byte, in every life; others contain times or paths."""

EVENTS = "events.out"
"""TensorBoard's files, one for each start; it reads what is whole in them."""

ENDINGS = (".md", ".txt", ".py", ".conf", ".j2", "LICENSE", "py.typed", ".typed")
"""Of texts of a package, which its checksums cover."""


def half_files(folder: Path) -> Iterator[str]:
    """Files that are not whole, those with hidden names and those in hidden folders excepted."""
    for path in visible_files(folder):
        try:
            _read_whole(path)
        except Exception as error:
            yield f"{path.name} is not whole ({type(error).__name__}: {error})"


def broken_entries(cache: Path, whole: dict[str, str]) -> Iterator[str]:
    """Files of the cache that differ from those of an unbroken run."""
    for name, found in hashes_of(cache).items():
        if found != whole.get(name):
            yield f"the cache's {name} is {'another' if name in whole else 'unknown'}"


def left_behind(folder: Path) -> Iterator[str]:
    """Half-written files, which nobody will finish."""
    for path in folder.rglob(".*"):
        if path.name != ".lock" and not path.name.endswith(".lock"):
            yield f"{path.relative_to(folder)} is left behind"


def broken_package(home: Path, life: Life) -> Iterator[str]:
    """What is wrong with the package, where there is one."""
    package = home / "dist" / life.bundle
    if package.exists():
        manifest = package / MANIFEST
        if not manifest.is_file() or json.loads(manifest.read_text())["files"] != checksums(package):
            yield "the package is not whole"


def untold(said: str, code: int | None) -> Iterator[str]:
    """What is wrong with how a run ended that could not write."""
    if code is None:
        yield "it did not end"
    elif code <= 0:
        yield f"it ended with {code}"
    messages = MESSAGE.findall(said)
    if TRACEBACK in said:
        yield "it ended in a traceback"
    elif len(messages) != 1:
        yield f"it told {len(messages)} messages"
    elif messages[0][0] != "OutputError":
        yield f"it told {messages[0][0]}: {messages[0][1]}"


def impolite(said: str) -> Iterator[str]:
    """What is wrong with how a run ended that a person interrupted."""
    if TRACEBACK in said:
        yield "it ended in a traceback"


def results_of(home: Path, life: Life) -> dict[str, str]:
    """Hashes of all that must be equal after any mishap; of other files their names."""
    found = {}
    for path in (*visible_files(home / life.bundle), *(home / "dist").glob("*.zip")):
        if not path.name.startswith(EVENTS):
            is_equal = path.name in EQUAL_NAMES or path.suffix in EQUAL_ENDINGS
            found[str(path.relative_to(home))] = _hash_without_times(path) if is_equal else ""
    return found


def metrics_of(path: Path) -> dict[str, Any]:
    """A ``metrics.json`` without the time that the run took."""
    return {name: value for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name != "seconds"}


def hashes_of(folder: Path) -> dict[str, str]:
    """Of every file below a folder, by its name."""
    return {str(path.relative_to(folder)): _hash(path) for path in visible_files(folder)}


def visible_files(folder: Path) -> list[Path]:
    """Files that are not hidden, in no hidden folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash_without_times(path: Path) -> str:
    if path.name == "metrics.json":
        return hashlib.sha256(json.dumps(metrics_of(path)).encode()).hexdigest()
    if path.name == "history.csv":
        return hashlib.sha256(pd.read_csv(path).drop(columns="seconds").to_csv().encode()).hexdigest()
    return _hash(path)


def _read_whole(path: Path) -> None:
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    if ending == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif ending == ".npy":
        np.load(path)
    elif ending == ".npz":
        dict(np.load(path))
    elif ending in (".pt", ".zip", ".ts"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    elif ending == ".csv":
        pd.read_csv(path)
        assert path.read_bytes().endswith(b"\n")
    elif ending == ".html":
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    elif ending == ".png":
        Image.open(path).load()
    elif ending == ".yaml":
        yaml.safe_load(path.read_text(encoding="utf-8"))
    elif ending == ".nii.gz":
        gzip.decompress(path.read_bytes())
    elif not path.name.endswith(ENDINGS) and not path.name.startswith(EVENTS):
        raise ValueError("nothing here can tell")
