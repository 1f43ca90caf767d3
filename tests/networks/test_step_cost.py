from __future__ import annotations

import math

from common.memory import STATUS
from common.networks import measure_step


def test_a_step_costs_at_least_the_weights_their_gradients_and_adams_moments() -> None:
    cost = measure_step({"backbone": "r3d_10", "in_channels": 2}, size=(16, 16, 16), steps=1, threads=1)
    fewer_blocks = sum(2 * width**2 * 27 + 4 * width for width in (64, 128, 256, 512))
    assert cost.parameters == 33_148_995 + 64 * 3 * 7 * 7 - fewer_blocks
    assert cost.seconds > 0
    if STATUS.exists():
        assert cost.megabytes > 4 * 4 * cost.parameters / 1e6
    else:
        assert math.isnan(cost.megabytes)
