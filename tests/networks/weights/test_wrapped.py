from __future__ import annotations

from typing import Any

import pytest
import torch

from common.networks.weights.wrapped import find_state_dict, without_prefixes, wrapper_advice

WEIGHT = torch.ones(1)


@pytest.mark.parametrize(
    "content",
    [
        {"w": WEIGHT},
        {"model": {"w": WEIGHT}},
        {"epoch": 3, "state_dict": {"w": WEIGHT}},
        {"net": {"model_state_dict": {"w": WEIGHT}, "optimizer": {}}},
    ],
)
def test_a_state_dict_is_found_at_any_depth(content: dict[str, Any]) -> None:
    assert find_state_dict(content) == {"w": WEIGHT}


@pytest.mark.parametrize("content", [{"model": WEIGHT, "net": WEIGHT}, [WEIGHT], WEIGHT, "text"])
def test_a_weight_that_is_called_like_a_container_is_a_weight(content: Any) -> None:
    assert find_state_dict(content) is content


def test_what_stands_in_a_container_is_handed_over_whatever_it_is() -> None:
    assert find_state_dict({"model": 7}) == 7


@pytest.mark.parametrize(
    ("names", "expected", "found"),
    [
        (["module.a", "module.b"], (), ["a", "b"]),
        (["_orig_mod.module.model.a"], (), ["a"]),
        (["module.a", "b"], (), ["module.a", "b"]),  # beside others
        (["model.a"], ("model.a",), ["model.a"]),  # a part of the network itself
        (["module.model.a", "module.model.b"], ("model.a", "model.b"), ["model.a", "model.b"]),
        ([], (), []),
    ],
)
def test_prefixes_are_taken_off_as_far_as_all_weights_have_them(
    names: list[str], expected: tuple[str, ...], found: list[str]
) -> None:
    assert list(without_prefixes(dict.fromkeys(names), expected)) == found


def test_a_network_beside_others_is_advised_about() -> None:
    expected = ("a", "b")
    assert wrapper_advice(("a", "b"), expected) is None
    assert wrapper_advice(("net.a",), expected) is None  # not all of it
    assert wrapper_advice((), ()) is None
    alone = wrapper_advice(("net.a", "net.b"), expected) or ""
    assert "'net.'" in alone and "beside" not in alone
    beside = wrapper_advice(("network.a", "network.b", "loss.w"), expected) or ""
    assert "'network.', beside others such as loss.w" in beside
