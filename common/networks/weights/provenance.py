"""The provenance of weights: what a checkpoint records about its run, and which runs may use it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from common import __version__
from common.cohorts.labels.cavity import mask_classes
from common.errors import CheckpointError, Problem
from common.knobs import as_bool
from common.networks.weights.checkpoints import load_checked, load_weights, plain_values, provenance_of, use_weights
from common.networks.weights.ensemble import members_of, unite, weight_files
from common.records import MASK_CLASSES
from common.splits.guard import check_start, check_unseen, recipe_of
from common.splits.manifest import SplitManifest

logger = logging.getLogger(__name__)

NOTHING_RECORDED = "it records nothing about its training (lost where a state dict is rebuilt or saved as safetensors)"
NEW_HEAD = 2
"""The last stage that may start with a head that is not the checkpoint's."""


def describe_provenance(
    bundle: str, split: SplitManifest, start: Mapping[str, Any] | None = None, **settings: Any
) -> dict[str, Any]:
    """Plain values for a checkpoint: bundle, recipe, split, hashed subjects, and the settings that must fit again.

    ``validation_patients`` counts those of this run's validation side.

    Args:
        bundle: name of the bundle.
        split: of the run.
        start: provenance of the checkpoint that the run continues from; its subjects count as trained on.
        settings: whatever else identifies this run's weights, such as ``recipe`` or ``stage``; the knobs that a
            network for these weights must be made with go by the name ``settings`` (see :func:`load_weights`).

    Returns:
        Plain values by name.
    """
    patients = {"validation_patients": len(split.subjects("validation"))}
    return {"bundle": bundle, "version": __version__, **plain_values(settings), **split.provenance(start), **patients}


def continue_from(
    network: nn.Module,
    weights: str | Path | None,
    split: SplitManifest,
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
    stage: int | None = None,
) -> dict[str, Any]:
    """Load the weights of an earlier stage, unless they were trained on this run's held-out patients.

    Args:
        network: takes the weights.
        weights: the checkpoint to continue from; ``None`` or empty for none.
        split: of the run.
        settings: as for :func:`load_weights`.
        bundle: as for :func:`load_weights`.
        stage: of the run, where its bundle trains in stages: each continues from the one before, or from itself. Stage
            2 starts with a new head; no later stage does.

    Returns:
        Their provenance; empty without weights.

    Raises:
        CheckpointError: the weights cannot be read, belong to another network or bundle, or were trained in too early a
            stage.
        SplitLeakageError: they were trained on patients of this run's validation or test side.
    """
    if not weights:
        return {}
    content = load_checked(weights)
    if stage is not None:
        _check_stage(_as_dict(provenance_of(content)).get("stage"), int(stage), weights)
    new_head = stage is None or int(stage) <= NEW_HEAD
    provenance = use_weights(network, content, weights, new_head, settings, bundle)
    check_start(provenance, {side: split.known_as(side) for side in split.sides}, weights, split.hash, split.voxels)
    return provenance


def _check_stage(found: Any, stage: int, weights: str | Path) -> None:
    """Refuse a start that leaves out a stage: what that stage trains would stay as random as it was drawn."""
    if isinstance(found, int) and found < stage - 1:
        before = stage - 1
        what = f"it was trained in stage {found}, and stage {stage} continues from stage {before}"
        hint = f"Train stage {before} first (configs/stage{before}.yaml), and pass its weights with --init_weights."
        raise CheckpointError(Problem(f"{what}: its head would be random", str(weights), hint))


def read_provenance(weights: str | Path | Sequence[str | Path]) -> dict[str, Any]:
    """What a checkpoint records about its run; of several see :func:`~common.networks.weights.ensemble.unite`.

    Returns:
        Plain values by name; empty where they were lost.

    Raises:
        CheckpointError: it cannot be read, or several differ too much.
    """
    return unite({path: _as_dict(provenance_of(load_checked(path))) for path in weight_files(weights)})


def are_there(weights: str | Path | Sequence[str | Path]) -> bool:
    """Whether a checkpoint is there, or all of several."""
    return all(path.is_file() for path in weight_files(weights))


def mask_classes_of(weights: str | Path | Sequence[str | Path], cavity: str | None = None) -> tuple[str, ...]:
    """The classes of a segmentation network besides background, by which the network is made for its weights.

    Args:
        weights: the checkpoint; where it is not there yet, a network without a class of the resection cavity is meant.
        cavity: ``--cavity`` as in training, for weights that do not record their classes; ``None`` to take what they
            record.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    if cavity is not None:
        return mask_classes(cavity)
    recorded = read_provenance(weights).get("classes") if are_there(weights) else None
    return tuple(recorded or MASK_CLASSES)


def _as_dict(provenance: Any) -> dict[str, Any]:
    return provenance if isinstance(provenance, dict) else {}


def load_for_evaluation(
    network: nn.Module,
    weights: str | Path | Sequence[str | Path],
    split: SplitManifest,
    side: str = "test",
    allow_trained_on: bool | str = False,
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
    recipe: str | None = None,
) -> dict[str, Any]:
    """Load the weights that are judged on one side of a split.

    Args:
        network: takes the weights.
        weights: the checkpoint, or one for each member of an :class:`~common.networks.weights.ensemble.Ensemble`.
        split: of the run.
        side: ``test``, ``validation`` or ``train``.
        allow_trained_on: also judge patients that the weights were trained on.
        settings: as for :func:`load_weights`.
        bundle: as for :func:`load_weights`.
        recipe: of the run; ``None`` to judge weights of any recipe.

    Returns:
        Their provenance.

    Raises:
        CheckpointError: the weights cannot be read, belong to another network or bundle, or were trained by another
            recipe or on another kind of split.
        SplitLeakageError: one of them was trained on patients of that side, and ``allow_trained_on`` was not given.
    """
    allowed = as_bool(allow_trained_on, "allow_trained_on")
    found: dict[Path, dict[str, Any]] = {}
    for member, path in members_of(network, weights):
        content = load_checked(path)
        recorded = _as_dict(provenance_of(content))
        if bundle in (None, recorded.get("bundle", bundle)):  # first, since another recipe has other settings as well
            _check_choices(recorded, split.protocol, recipe, path)
        provenance = use_weights(member, content, path, settings=settings, bundle=bundle)
        own_split = split.hash if side == "test" else None
        check_unseen(provenance, split.known_as(side), allowed, path, own_split, split.voxels)
        if not provenance:
            logger.warning(
                "%s: %s. What training had fitted is fitted anew on this run's training side.", path, NOTHING_RECORDED
            )
        found[path] = provenance
    return unite(found)


def _check_choices(provenance: Mapping[str, Any], protocol: str, recipe: str | None, weights: str | Path) -> None:
    """Refuse to judge weights by another recipe's preparation of the images, or on another kind of split."""
    problems = []
    trained_by = recipe_of(provenance)
    if recipe and trained_by not in (None, recipe):
        called = {"ours": "our recipe", "paper": "the paper's recipe"}
        what = f"it was trained by {called[str(trained_by)]}, and this run evaluates by {called[recipe]}"
        overlay = "Add configs/paper.yaml to" if trained_by == "paper" else "Leave configs/paper.yaml out of"
        problems.append(Problem(what, str(weights), f"{overlay} --config_file."))
    split_by = provenance.get("protocol", protocol)
    if split_by != protocol:
        what = f"it was trained with --split_by {split_by}, and this run evaluates with --split_by {protocol}"
        problems.append(Problem(what, str(weights), f"Give --split_by {split_by}."))
    if problems:
        raise CheckpointError(problems)


def load_for_inference(
    network: nn.Module,
    weights: str | Path | Sequence[str | Path],
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
    clinical_features: Iterable[str] = (),
    assumed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Load weights to predict with; what they do not record about their training is assumed and said, or refused.

    Args:
        network: takes the weights.
        weights: the checkpoint, or one for each member of an ensemble.
        settings: as for :func:`load_weights`.
        bundle: as for :func:`load_weights`.
        clinical_features: that the network is given. How they were scaled cannot be assumed.
        assumed: what else inference needs of the provenance, by name, and the value to take where it is not recorded;
            ``None`` where a check is then left out.

    Returns:
        Their provenance, with what was assumed.

    Raises:
        CheckpointError: the weights cannot be read, belong to another network or bundle, or do not record how the
            clinical features were scaled.
    """
    members = members_of(network, weights)
    provenance = unite({path: load_weights(member, path, settings=settings, bundle=bundle) for member, path in members})
    features = list(clinical_features)
    if features and not provenance.get("encoder"):
        what = f"it does not record how {' and '.join(features)} were scaled in training"
        hint = (
            "Give the file that training wrote (models/model.pt): a state dict that was rebuilt by another program, "
            "or saved as safetensors, has lost it."
        )
        raise CheckpointError(Problem(f"{what}, so their values mean nothing to these weights", str(weights), hint))
    absent = {name: value for name, value in (assumed or {}).items() if name not in provenance}
    _say_assumed(weights, absent if provenance else {**(settings or {}), **absent}, not provenance)
    return {**absent, **provenance}


def _say_assumed(
    weights: str | Path | Sequence[str | Path], assumed: Mapping[str, Any], nothing_recorded: bool
) -> None:
    if not (assumed or nothing_recorded):
        return
    values = plain_values(assumed)
    shown = "; ".join(f"{name}: {'any' if value is None else json.dumps(value)}" for name, value in values.items())
    what = NOTHING_RECORDED if nothing_recorded else f"it does not record {', '.join(values)}"
    logger.warning("%s: %s. Assumed: %s.", weights, what, shown or "the settings of this run")
