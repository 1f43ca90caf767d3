"""What P1 printed about its choices: backbones, heads and shares of the data. All are shares of 1.

They count images, and images of one patient are on both sides of the split; every choice was made on the test side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BACKBONES: Mapping[str, Mapping[str, float]] = {
    "resnet50": {"grade": 0.58, "survival": 0.16},
    "resnet101": {"grade": 0.31, "survival": 0.42},
    "efficientnet_b4": {"grade": 0.62, "survival": 0.39},
    "vgg16": {"grade": 0.89, "survival": 0.46},
    "inception_v3": {"grade": 0.96, "survival": 0.43},
    "inception_resnet_v2": {"grade": 0.74, "survival": 0.50},
    "densenet121": {"grade": 0.95, "survival": 0.52},
    "densenet201": {"grade": 0.91, "survival": 0.51},
}
"""P1, table 2: macro F1."""

FIRST_HEAD: Mapping[str, Any] = {
    "image_units": None,
    "units": [256, 512],
    "batch_norm": 1,
    "dropout": 0.5,
    "activation": "relu",
    "lr": 0.0002,
}
"""P1, section 3.1: the settings of its first trainings, batch normalisation read as one layer of it."""

HEAD_SEARCH: Mapping[str, Sequence[tuple[str, Mapping[str, Any], Mapping[str, float]]]] = {
    "BatchNormalization": (
        ("2 layers", {"batch_norm": 2}, {"grade": 0.88, "survival": 0.48}),
        ("1 layer", {"batch_norm": 1}, {"grade": 0.96, "survival": 0.44}),
        ("0 layers", {"batch_norm": 0}, {"grade": 0.94, "survival": 0.51}),
    ),
    "Number of neurons": (
        ("32, 64", {"units": [32, 64]}, {"grade": 0.96, "survival": 0.51}),
        ("64, 128", {"units": [64, 128]}, {"grade": 0.90, "survival": 0.47}),
        ("128, 256", {"units": [128, 256]}, {"grade": 0.89, "survival": 0.29}),
        ("256, 256", {"units": [256, 256]}, {"grade": 0.97, "survival": 0.16}),
    ),
    "Dropout rate": (
        ("0.2", {"dropout": 0.2}, {"grade": 0.93, "survival": 0.60}),
        ("0.3", {"dropout": 0.3}, {"grade": 0.97, "survival": 0.51}),
        ("0.4", {"dropout": 0.4}, {"grade": 0.93, "survival": 0.52}),
        ("0.5", {"dropout": 0.5}, {"grade": 0.96, "survival": 0.58}),
    ),
    "Activation function": (
        ("relu", {"activation": "relu"}, {"grade": 0.97, "survival": 0.60}),
        ("tanh", {"activation": "tanh"}, {"grade": 0.95, "survival": 0.50}),
    ),
    "Learning rate": (
        ("0.0005", {"lr": 0.0005}, {"grade": 0.97, "survival": 0.60}),
        ("0.001", {"lr": 0.001}, {"grade": 0.93, "survival": 0.48}),
        ("0.002", {"lr": 0.002}, {"grade": 0.92, "survival": 0.34}),
    ),
}
"""P1, table 3: under each factor its options as they are printed, as knobs, and their macro F1."""

BEST_HEAD: Mapping[str, Mapping[str, Any]] = {
    "grade": {
        "image_units": None,
        "units": [256, 256],
        "batch_norm": 1,
        "dropout": 0.3,
        "activation": "relu",
        "lr": 0.0005,
    },
    "survival": {
        "image_units": None,
        "units": [32, 64],
        "batch_norm": 2,
        "dropout": 0.2,
        "activation": "relu",
        "lr": 0.0005,
    },
}
"""P1, section 3.2: what its tables 4 to 6 were made with."""

TRAIN_SHARES: Mapping[float, Mapping[str, tuple[float, float, float]]] = {
    0.9: {"grade": (0.89, 0.90, 0.89), "survival": (0.63, 0.48, 0.40)},
    0.8: {"grade": (0.97, 0.97, 0.97), "survival": (0.61, 0.61, 0.60)},
    0.7: {"grade": (0.87, 0.86, 0.86), "survival": (0.47, 0.40, 0.38)},
    0.6: {"grade": (0.83, 0.83, 0.83), "survival": (0.24, 0.32, 0.27)},
    0.5: {"grade": (0.86, 0.86, 0.86), "survival": (0.52, 0.48, 0.48)},
}
"""P1, table 4: precision, recall and F1 by the share of the images to train on, means over ten Monte-Carlo splits."""
