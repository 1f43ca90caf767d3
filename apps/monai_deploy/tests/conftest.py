from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.dicom_study import make_dicom_studies
from tests.studies.small_bundles import SMALL, write_small_bundle

APP = Path(__file__).resolve().parents[1]
SHAPE = (64, 64, 24)

RunApp = Callable[..., Path]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small, untrained copy of each bundle."""
    folder = tmp_path_factory.mktemp("bundles")
    for name in SMALL:
        write_small_bundle(name, folder)
    return folder


@pytest.fixture(scope="session")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of a phantom: read it, never write into it."""
    return make_dicom_studies(tmp_path_factory.mktemp("dicom"), shape=SHAPE)[0]


@pytest.fixture(scope="session")
def nifti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same phantom in BraTS's layout."""
    return make_brats_phantoms(tmp_path_factory.mktemp("nifti"), patients=1, shape=SHAPE) / "BraTS20_Training_001"


@pytest.fixture
def run_app(bundles: Path, tmp_path: Path) -> RunApp:
    """Runs the application in this process: ``run_app("mgmt_classification", study, "--age", "61")``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(APP), *sys.path])
        import runpy

        from app import run

    parse_arguments = runpy.run_path(str(APP / "__main__.py"))["parse_arguments"]

    def start(name: str, study: Path, *options: str) -> Path:
        folders = ["-i", str(study), "-o", str(tmp_path / "out"), "-m", str(bundles / name)]
        return run(parse_arguments([*folders, *options]))

    return start
