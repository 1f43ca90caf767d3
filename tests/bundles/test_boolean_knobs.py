"""A boolean knob is read by who uses it: the command line hands over words, and configs hand them on as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from common.cohorts import SurvivalClasses, not_yet_predicted, permute_labels, still_to_do
from common.errors import KnobError
from common.handlers import GradCamOverlays, SegmentationTable, SurvivalDays, VolumeGradCam
from common.networks import (
    FusionClassifier,
    SegmentationUNet,
    SliceClassifier,
    SpatioSpatialClassifier,
    describe_provenance,
    load_for_evaluation,
    save_weights,
)
from common.networks.predicted_masks import segment_volume
from common.reports.knob_tables import read_knobs
from common.running import open_run
from common.splits import check_clinical
from common.splits.manifest import SplitManifest
from common.transforms import LabelMapd, class_weights, clinical_features, clinical_width, fit_clinical, share_weights
from common.transforms.masks.items import mask_items

ROOT = Path(__file__).resolve().parents[2] / "bundles"
CONFIGS = sorted(path for path in ROOT.glob("*/configs/*.yaml"))
PATIENTS = [{"subject": "a", "label": 0, "age": 20.0}, {"subject": "b", "label": 1, "age": 60.0}]
SPLIT = SplitManifest({"train": ("a",), "validation": (), "test": ("b",)}, "cohort")
IDENTITY = torch.nn.Identity()


def load(word: Any, folder: Path) -> Any:
    save_weights(folder / "model.pt", {}, describe_provenance("bundle", SPLIT))
    return load_for_evaluation(torch.nn.Identity(), folder / "model.pt", SPLIT, allow_trained_on=word)


CALLS: dict[str, list[Callable[[Any, Path], Any]]] = {
    "allow_shortcut": [lambda word, _: check_clinical(PATIENTS, "label", ["age"], word)],
    "allow_trained_on": [load],
    "amp": [lambda word, _: segment_volume(torch.zeros(4, 4, 4, 4), IDENTITY, lambda image, _: image, amp=word)],
    "balance": [
        lambda word, _: class_weights(PATIENTS, 2, word),
        lambda word, _: share_weights(PATIENTS, 2, word),
    ],
    "brats_survival": [lambda word, _: SurvivalDays(SurvivalClasses((100.0,)), (50.0, 150.0), word)],
    "channels_last": [
        lambda word, _: SegmentationUNet(channels_last=word),
        lambda word, _: FusionClassifier("resnet10t", channels_last=word),
        lambda word, _: SliceClassifier(channels_last=word),
        lambda word, _: SpatioSpatialClassifier("r3d_10", channels_last=word),
    ],
    "checkpointing": [lambda word, _: SpatioSpatialClassifier("r3d_10", checkpointing=word)],
    "clinical": [lambda word, _: clinical_features(word, ["age"])],
    "empty_slices": [lambda word, _: mask_items([], word)],
    "gradcam": [
        lambda word, folder: GradCamOverlays(IDENTITY, folder, word),
        lambda word, folder: VolumeGradCam(IDENTITY, folder, word),
    ],
    "missing_indicators": [
        lambda word, _: clinical_width(["age"], word),
        lambda word, _: fit_clinical(PATIENTS, ["age"], word),
    ],
    "overwrite": [
        lambda word, folder: open_run(folder, folder / "model.pt", False, word),
        lambda word, folder: still_to_do(PATIENTS, folder, overwrite=word),
        lambda word, folder: not_yet_predicted(PATIENTS, folder, overwrite=word),
    ],
    "permute_labels": [lambda word, _: permute_labels(PATIENTS, word)],
    "pictures": [lambda word, folder: SegmentationTable(folder, word)],
    "probabilities": [lambda word, _: LabelMapd(probabilities=word)],
    "resume": [
        lambda word, folder: still_to_do(PATIENTS, folder, word),
        lambda word, folder: not_yet_predicted(PATIENTS, folder, word),
    ],
}
"""Who reads each boolean knob, called with a word for it."""

cases = [(knob, number) for knob, calls in CALLS.items() for number in range(len(calls))]
every_reader = pytest.mark.parametrize(("knob", "number"), cases, ids=str)


def test_every_boolean_knob_is_here() -> None:
    """``pretrained`` is none: it is true, false or a file."""
    knobs = [knob for path in CONFIGS if path.stem != "multi_gpu_train" for knob in read_knobs(path)]
    booleans = {knob.name for knob in knobs if isinstance(yaml.safe_load(knob.default), bool)}
    assert {*booleans, "amp"} == {*CALLS, "pretrained"}


@every_reader
def test_a_word_that_is_neither_is_refused_by_name(knob: str, number: int, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=f"--{knob}: 'maybe' is neither true nor false"):
        CALLS[knob][number]("maybe", tmp_path)


@every_reader
def test_a_word_means_what_the_boolean_means(knob: str, number: int, tmp_path: Path) -> None:
    call = CALLS[knob][number]
    for word, meaning in (("false", False), ("true", True)):
        assert told(call(word, tmp_path)) == told(call(meaning, tmp_path))


def told(result: Any) -> Any:
    """What can be compared of a result: of an object its booleans."""
    if isinstance(result, torch.Tensor):
        return result.tolist()
    if hasattr(result, "tobytes"):
        return result.tobytes()
    if isinstance(result, torch.nn.Module) or type(result).__module__.startswith("common.handlers"):
        return {name: value for name, value in vars(result).items() if isinstance(value, bool)}
    return result.probabilities if isinstance(result, LabelMapd) else result


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem.startswith(("train", "inference"))], ids=str)
def test_mixed_precision_is_read_where_monai_takes_it(path: Path) -> None:
    """MONAI's engines take a boolean: each config reads the knob once, under MONAI's own name or one of ours."""
    from monai.bundle import ConfigParser

    parser = ConfigParser(ConfigParser.load_config_file(path))
    training = path.stem.startswith("train")
    for engine in ("train#trainer", "validate#evaluator") if training else ():
        assert parser[f"{engine}#amp"] == "@mixed_precision"
    place = "mixed_precision" if training else "evaluator#amp"
    for word, meaning in (("false", False), ("true", True)):
        parser["amp"] = word
        assert parser.get_parsed_content(place) is meaning
    parser["amp"] = "maybe"
    with pytest.raises(RuntimeError) as caught:
        parser.get_parsed_content(place)
    assert str(caught.value.__cause__).startswith("--amp: 'maybe'")


@pytest.mark.parametrize("path", CONFIGS, ids=str)
def test_a_config_leaves_reading_to_the_reader(path: Path) -> None:
    text = path.read_text()
    assert text.count("as_bool") == (0 if "amp: $torch" not in text else 1)
    assert "bool_or_path" not in text
