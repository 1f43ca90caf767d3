"""Label's own ``monaibundle`` app serves the bundles as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import BUNDLES, KNOWN, MGMT, PATIENT, SEGMENTATION, SURVIVAL, Server


@pytest.mark.parametrize("bundle", BUNDLES)
def test_answers_are_those_of_inferring(
    bundle: str, stock_server: Server, image_of: dict[str, str], expected: dict[str, Any], tmp_path: Path
) -> None:
    image = "scan" if bundle == MGMT else image_of[bundle]
    if bundle == SEGMENTATION:
        answer = stock_server.label_map(image, tmp_path)
        np.testing.assert_array_equal(np.asanyarray(answer.dataobj), expected[bundle])
    else:
        shares = stock_server.probabilities(bundle, image, **(KNOWN if bundle == SURVIVAL else {}))
        assert shares == pytest.approx(expected[bundle], abs=1e-4)


def test_survival_refuses_with_a_message(stock_server: Server) -> None:
    answer = stock_server.infer(SURVIVAL, f"{PATIENT}_t1")
    assert (answer.status_code, "no age is given" in answer.json()["detail"]) == (400, True)


def test_a_file_of_another_folder_is_refused_with_a_message(stock_server: Server) -> None:
    answer = stock_server.infer(SEGMENTATION, f"{PATIENT}_t1", flair="/etc/hostname")
    assert (answer.status_code, "a file of its own" in answer.json()["detail"]) == (400, True)
