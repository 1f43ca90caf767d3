from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.commands import ROOT
from common.packaging.configs import CODE, aliases_in, refer_to_code

BUNDLES = sorted(path.parent for path in (ROOT / "bundles").glob("*/configs"))


def texts_of(bundle: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (bundle / "configs").glob("*.yaml")}


def strings_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings_in(value)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_no_packaged_config_imports_what_it_could_not_find(bundle: Path) -> None:
    texts = texts_of(bundle)
    aliases = aliases_in(texts)
    for name, text in texts.items():
        strings = list(strings_in(yaml.safe_load(refer_to_code(text, aliases))))
        assert not [value for value in strings if value.startswith(("common.", "$import common"))], name
        expressions = [re.sub(r"'[^']*'", "", value) for value in strings if value.startswith("$")]
        bare = re.compile(rf"(?<![\w.])(?:{'|'.join(aliases)})\.")
        assert not [value for value in expressions if bare.search(value)], name
        assert not [value for value in expressions if "@common" in value and "$import" in value]


@pytest.mark.slow
def test_the_code_has_what_packaged_configs_refer_to() -> None:
    """In a process of its own, in which nobody has imported a module before."""
    names: set[str] = set()
    for texts in map(texts_of, BUNDLES):
        packaged = " ".join(refer_to_code(text, aliases_in(texts)) for text in texts.values())
        names |= set(re.findall(r"@common\.([\w.]+)", packaged))
    assert len(names) > 100
    program = f"import operator; from common.vendored import Code; [operator.attrgetter(n)(Code()) for n in {names}]"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_nothing_else_of_a_config_changes(bundle: Path) -> None:
    texts = texts_of(bundle)
    aliases = aliases_in(texts)
    for name, text in texts.items():
        packaged = yaml.safe_load(refer_to_code(text, aliases))
        original = yaml.safe_load(text)
        for key in yaml.safe_load(CODE):
            packaged.pop(key, None)
            original.pop(key, None)
        assert list(packaged) == list(original), name
        assert len(list(strings_in(packaged))) == len(list(strings_in(original))), name
        assert comments_of(text) == comments_of(refer_to_code(text, aliases)), name


def comments_of(text: str) -> list[str]:
    return [line.partition("  # ")[2] for line in text.splitlines() if "  # " in line]


def test_references_by_hand() -> None:
    aliases = {"networks": "common.networks", "reports": "common.reports.copies", "handlers": "common.handlers"}
    text = (
        "# networks.py of this bundle\n"
        "imports:\n- $import common.networks as networks\n- $import common.handlers as handlers\n\n"
        "loss: $monai.handlers.from_engine(['loss'])  # of handlers.py\n"
        "start: $networks.load(@networks, [reports.write(1), handlers.X.of(2)])\n"
        "net: {_target_: common.networks.Net, lr: 0.1}\n"
    )
    lines = refer_to_code(text, aliases).splitlines()
    assert lines[0] == "# networks.py of this bundle"
    assert lines[-3:] == [
        "loss: $monai.handlers.from_engine(['loss'])  # of handlers.py",
        "start: $@common.networks.load(@networks, [@common.reports.copies.write(1), @common.handlers.X.of(2)])",
        "net: {_target_: $@common.networks.Net, lr: 0.1}",
    ]
