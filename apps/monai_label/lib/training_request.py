"""What a client may set of a training, as MONAI Label calls it, and as the bundle's configs do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common.errors import KnobError, Problem
from common.knobs import as_bool

DEFAULTS: dict[str, Any] = {
    "pretrained": False,  # continue from the bundle's weights
    "max_epochs": 50,
    "early_stop_patience": 15,
    "val_split": 0.2,
    "samples_per_epoch": 2400,
    "batch_size": 16,
    "lr": 0.001,
}
"""By Label's names, with the device that is chosen apart."""

MOST_FOLDS, FEWEST_FOLDS = 20, 3

OTHER_NAMES = {"train_batch_size": "batch_size"}
OF_THE_SERVER = ("model", "device", "gpus", "local_rank", "bundle_path", "name")
"""What the server sets, or handles itself: it shows ``gpus`` to the process that trains, and no others."""

WITHOUT_EFFECT = {"multi_gpu": False, "tracking": "None", "tracking_uri": "", "tracking_experiment_name": ""}
"""Values of Label's own tasks that ask for nothing. Other values of these names are refused."""

HINTS = {
    "multi_gpu": "Train with torchrun and configs/multi_gpu_train.yaml, outside of MONAI Label.",
    "tracking": "TensorBoard's curves are under eval/monai_label; MLflow is for training outside of MONAI Label.",
    "val_batch_size": "Volumes are segmented one by one.",
}


def bundle_knobs(request: Mapping[str, Any], patients: int) -> dict[str, Any]:
    """The knobs of ``train.yaml`` that a request sets; the others of :data:`DEFAULTS` keep their values.

    Args:
        request: of a client, lists for a choice with the chosen one first.
        patients: how many can be split; there are at most as many folds.

    Returns:
        ``pretrained``, and the bundle's knobs by their names.

    Raises:
        KnobError: names everything that is unknown, not honoured, or no value of its kind.
    """
    given = {OTHER_NAMES.get(name, name): _chosen(value) for name, value in request.items()}
    problems = [problem for name, value in given.items() if (problem := _refused(name, value))]
    wanted = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    for name, (kind, meaning) in KINDS.items():
        try:
            wanted[name] = kind(wanted[name])
        except (TypeError, ValueError, KnobError):
            problems.append(Problem(f"{wanted[name]!r} is not {meaning}", name, "Correct the request."))
    if problems:
        raise KnobError(problems)
    return {
        "pretrained": wanted["pretrained"],
        "epochs": wanted["max_epochs"],
        "patience": max(wanted["early_stop_patience"], 0),
        "folds": min(wanted["val_split"], patients),
        **{name: wanted[name] for name in ("samples_per_epoch", "batch_size", "lr")},
    }


def _chosen(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _refused(name: str, value: Any) -> Problem | None:
    if name in DEFAULTS or name in OF_THE_SERVER:
        return None
    if name in WITHOUT_EFFECT and value in (WITHOUT_EFFECT[name], None, ""):
        return None
    known = f"Known are {', '.join(('device', *DEFAULTS))}."
    return Problem(f"this training does not honour {value!r}", name, HINTS.get(name, known))


def _count(value: Any) -> int:
    number = int(value)
    if number < 1 or number != float(value):
        raise ValueError(value)
    return number


def _share(value: Any) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError(value)
    return number


def _folds(value: Any) -> int:
    """A share of patients as a number of folds: one validates, one is kept for test, the others are trained on."""
    folds = round(1 / float(DEFAULTS["val_split"] if float(value) == -1 else _share(value)))
    if not FEWEST_FOLDS <= folds <= MOST_FOLDS:
        raise ValueError(value)
    return folds


KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "pretrained": (as_bool, "true or false"),
    "max_epochs": (_count, "a number of epochs, 1 or more"),
    "early_stop_patience": (int, "a number of validations (-1: train to the end)"),
    "val_split": (_folds, "a share of patients, 0.05 to 0.33 (-1: 0.2); as many more are kept for test"),
    "samples_per_epoch": (_count, "a number of slices, 1 or more"),
    "batch_size": (_count, "a number of slices, 1 or more"),
    "lr": (_share, "a learning rate above 0"),
}
