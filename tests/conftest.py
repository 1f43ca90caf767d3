"""What every test may ask for. Nothing heavy is imported before a test needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.once import make_once

# Read when matplotlib, OpenMP and the hub are first imported, here and in every process that a test starts.
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers with two threads each cost thrice the CPU time
os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest_plugins = ("tests.writers",)

SCHEMA_NAME = "meta_schema_20240725.json"


@pytest.fixture(scope="session", autouse=True)
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of prepared patients for this session alone: the user's own is neither read nor filled."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLIOMA_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def phantom_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small phantom patients in BraTS 2020's layout, shared by all tests: read it, never write into it."""
    from common.phantoms.layouts.brats2020 import make_brats_phantoms

    return make_once(
        tmp_path_factory, "brats2020", lambda folder: make_brats_phantoms(folder, patients=8, shape=(64, 64, 24))
    )


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real data sets that ``GLIOMA_REALDATA`` names."""
    return _folder_from_environment("GLIOMA_REALDATA")


@pytest.fixture(scope="session")
def schema_path() -> Path:
    """MONAI's metadata schema: the file that ``GLIOMA_SCHEMA`` names, or lies in the folder that it names."""
    path = _folder_from_environment("GLIOMA_SCHEMA")
    path = path / SCHEMA_NAME if path.is_dir() else path
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    return path


def _folder_from_environment(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    path = Path(value).resolve()
    if not path.exists():
        pytest.skip(f"{variable} names {path}, which does not exist")
    return path
