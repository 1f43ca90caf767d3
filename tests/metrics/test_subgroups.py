from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from common.metrics.subgroups import among, restrict

CLASSES = ("LGG", "HGG", "healthy")


def test_probabilities_among_some_classes_by_hand() -> None:
    shares = np.array([[0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.0, 0.0, 1.0]])
    found = among(shares, CLASSES, ("LGG", "HGG"))
    assert found == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]))
    assert among(shares, CLASSES, ("healthy", "LGG"))[0] == pytest.approx([0.5, 0.5])  # in the order that is asked for


def test_who_has_another_class_is_left_out_and_the_others_choose_again() -> None:
    """B was taken for healthy; between the grades it is HGG."""
    rows = pd.DataFrame(
        {
            "subject": ["A", "B", "C"],
            "truth": ["LGG", "HGG", "healthy"],
            "predicted": ["LGG", "healthy", "healthy"],
            "p_LGG": [0.6, 0.1, 0.1],
            "p_HGG": [0.2, 0.3, 0.1],
            "p_healthy": [0.2, 0.6, 0.8],
        }
    )
    found = restrict(rows, CLASSES, ("LGG", "HGG"))
    assert found["subject"].tolist() == ["A", "B"]
    assert found["predicted"].tolist() == ["LGG", "HGG"]
    assert found[["p_LGG", "p_HGG"]].to_numpy() == pytest.approx(np.array([[0.75, 0.25], [0.25, 0.75]]))
    assert "p_healthy" not in found
    assert rows["predicted"].tolist() == ["LGG", "healthy", "healthy"]  # untouched
