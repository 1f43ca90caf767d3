from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.once import make_once
from tests.short_reports import blank_pictures, drawn, shorten_reports  # noqa: F401

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow

    from tests.bundles.lifecycle import Case

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"

TINY: dict[str, Any] = {
    "device": "cpu",
    "folds": 4,  # of eight phantoms: four to train on, two on either held-out side
    "epochs": 1,
    "batch_size": 4,
    "crop_size": [64, 64],
    "samples_per_epoch": 16,
    "backbone": "test_resnet",
    "image_size": [64, 64],
    "slice_gap": 6,  # heads of these phantoms are 24 or 40 mm high
    "slices_per_patient": 4,
}
"""A training run of seconds."""

DRAWN = {"common.handlers.GradCamPictures": "samples", "common.handlers.SegmentationPictures": "volumes"}
"""Handlers that draw at each validation, and what says how many pictures."""

Start = Callable[..., "ConfigWorkflow"]
WriteWeights = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """The knobs that :func:`start` sets where a config knows them."""
    return TINY


@pytest.fixture(scope="session")
def classifiable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty phantoms, 14 of them HGG; as in BraTS, the LGG have no age, survival or resection."""
    from common.phantoms.layouts.brats2020 import make_brats_phantoms

    return make_once(
        tmp_path_factory, "classifiable", lambda folder: make_brats_phantoms(folder, patients=20, shape=(48, 48, 40))
    )


@pytest.fixture(scope="session")
def series_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen phantoms as DICOM series, half of them methylated by nothing that shows."""
    from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms

    return make_once(
        tmp_path_factory, "series", lambda folder: make_rsna_phantoms(folder, patients=16, shape=(48, 48, 16))
    )


@pytest.fixture(scope="session")
def images_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantom images of twelve brains a class, and copies of them."""
    from common.phantoms.layouts.br35h import make_br35h_phantoms

    return make_once(
        tmp_path_factory, "images", lambda folder: make_br35h_phantoms(folder, originals=12, copies=1, side=100)
    )


@pytest.fixture(scope="session")
def healthy_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve healthy phantoms in IXI's layout, from another scanner."""
    from common.phantoms.layouts.ixi import make_ixi_phantoms

    return make_once(
        tmp_path_factory, "healthy", lambda folder: make_ixi_phantoms(folder, people=12, shape=(48, 48, 40))
    )


@pytest.fixture(scope="module", autouse=True)
def short_reports() -> Iterator[None]:
    """One heat map an evaluation, too."""
    from common.handlers import classification_report

    with shorten_reports() as patch:
        patch.setattr(classification_report, "MOST_PICTURES", 1)
        yield


@pytest.fixture(autouse=True)
def without_old_workflows(request: pytest.FixtureRequest) -> Iterator[None]:
    """A workflow is a circle of references with a network and its optimiser in it: Python keeps several GB of them."""
    yield
    if "start" in request.fixturenames:
        gc.collect()


@cache
def load_configs(bundle: str, *configs: str) -> dict[str, Any]:
    """Configs of a bundle, merged; reading YAML takes a third of a second."""
    from monai.bundle import ConfigParser

    return ConfigParser.load_config_files([str(BUNDLES / bundle / "configs" / f"{name}.yaml") for name in configs])


def one_picture(config: dict[str, Any]) -> dict[str, int]:
    """The settings with which each handler draws one picture a validation."""
    handlers = config.get("validate", {}).get("handlers", [])
    asked = {f"validate#handlers#{index}": DRAWN.get(one["_target_"]) for index, one in enumerate(handlers)}
    return {f"{place}#{knob}": 1 for place, knob in asked.items() if knob}


@pytest.fixture(scope="session")
def start(phantom_dir: Path) -> Iterator[Start]:
    """Opens and initialises a workflow of a bundle on the phantoms: ``start(folder, "train", "stage2", epochs=2)``.

    ``folder`` takes everything that the run writes. Settings that none of the configs knows are left out.
    """

    def start(folder: Path, *configs: str, bundle: str = "glioma_segmentation", **settings: Any) -> ConfigWorkflow:
        from monai.bundle import ConfigWorkflow

        files = [str(BUNDLES / bundle / "configs" / f"{name}.yaml") for name in configs]
        known = load_configs(bundle, *configs)
        tiny = {name: value for name, value in TINY.items() if name in known} | one_picture(known)
        workflow = ConfigWorkflow(
            config_file=files,
            workflow_type="infer" if configs[0].startswith("inference") else "train",
            logging_file=False,  # the logging file would silence pytest's own handlers
            **{"bundle_root": str(folder), "dataset_dir": str(phantom_dir), **tiny, **settings},
        )
        workflow.initialize()
        return workflow

    import common.handlers
    import common.networks
    import common.transforms  # noqa: F401

    gc.collect()
    gc.freeze()  # what is imported stays anyway; to look through it takes a third of a second each time
    yield start
    gc.unfreeze()


@pytest.fixture(scope="session")
def write_weights(tmp_path_factory: pytest.TempPathFactory) -> WriteWeights:
    """Writes weights of the network of a bundle's inference config: ``write_weights(bundle, backbone="test_resnet")``.

    Its batch norm is in a state that only training leaves; of its training it records how clinical values were scaled.
    Settings that the config does not know are left out.
    """

    def write(bundle: str, config: str = "inference", **settings: Any) -> Path:
        import torch
        from monai.bundle import ConfigParser

        from common.networks import save_weights
        from common.transforms.clinical import ClinicalEncoder

        parser = ConfigParser(ConfigParser.load_config_file(BUNDLES / bundle / "configs" / f"{config}.yaml"))
        parser.update({name: value for name, value in settings.items() if name in parser})
        network = parser.get_parsed_content("network_def")
        sides = getattr(network, "image_size", (24, 24, 24) if "volume_size" in parser else (64, 64))
        channels = getattr(network, "in_channels", None) or parser.get_parsed_content("network_def#in_channels")
        network.train()(torch.rand(4, channels, *sides))
        path = tmp_path_factory.mktemp("weights") / "models" / "model.pt"
        features = tuple(parser.get_parsed_content("features")) if "features" in parser else ()
        indicators = bool(parser.get("missing_indicators"))
        encoder = ClinicalEncoder(features, indicators, missing_seen=features, age_range=(20.0, 80.0), mean_age=50.0)
        save_weights(path, network.state_dict(), {"encoder": encoder.to_json()} if features else {})
        return path

    return write


Life = tuple[str, Path]
"""The name of a case, and the folder of a run of two epochs that was evaluated: read it, never write into it."""


@pytest.fixture(scope="session")
def begin_case(request: pytest.FixtureRequest, start: Start) -> Callable[..., ConfigWorkflow]:
    """Like ``start``, of one of the cases: ``begin_case("masks", folder, "evaluate", config=None, epochs=2)``.

    ``config`` stands in place of the training config.
    """
    from tests.bundles.lifecycle import CASES

    def begin(name: str, folder: Path, *overlays: str, config: str | None = None, **settings: Any) -> ConfigWorkflow:
        case = CASES[name]
        given = {"dataset_dir": str(request.getfixturevalue(case.cohort)), **_known(case, config, overlays)}
        if config is None:
            given |= {knob: str(request.getfixturevalue(fixture)) for knob, fixture in case.more.items()}
            given |= case.judging if "evaluate" in overlays else case.learning
        return start(folder, config or case.config, *overlays, bundle=case.bundle, **{**given, **settings})

    return begin


def _known(case: Case, config: str | None, overlays: tuple[str, ...]) -> dict[str, Any]:
    """The case's settings that these configs know."""
    from monai.bundle import ConfigParser

    folder = BUNDLES / case.bundle / "configs"
    known = ConfigParser.load_config_files(
        [str(folder / f"{name}.yaml") for name in (config or case.config, *overlays)]
    )
    return {name: value for name, value in case.settings.items() if name in known}


@pytest.fixture(scope="session")
def live(begin_case: Callable[..., ConfigWorkflow], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Life]:
    """Trains a case for two epochs and evaluates it: once, for all processes that run tests."""

    def live(name: str) -> Life:
        def run(folder: Path) -> None:
            begin_case(name, folder, epochs=2).run()
            begin_case(name, folder, "evaluate").run()

        return name, make_once(tmp_path_factory, f"life of {name}", run)

    return live
