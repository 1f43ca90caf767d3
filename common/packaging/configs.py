"""A package's configs: they refer to the package's own code and weights, wherever they are loaded from.

A config of the repository imports ``common``, which is installed there. A package is not installed, and MONAI puts its
folder on ``sys.path`` too late: in ``run``, after ``initialize``, while every ``$import`` is evaluated before all else.
A packaged config therefore refers to an item of its own, ``common``; MONAI resolves a reference before it is used,
whichever program asks::

    - $import common.networks as networks         ->  (gone; the items of CODE stand in the place of all imports)
    start: $networks.load_weights(@net, 'a.pt')   ->  start: $@common.networks.load_weights(@net, 'a.pt')
    net: {_target_: common.networks.Net}          ->  net: {_target_: $@common.networks.Net}

The text is changed, not what YAML makes of it, so that comments and the order of the knobs stay.

The items of :data:`CODE`, which run before anything of ``common`` can be imported:

``code_places``
    Folders that may be the package's. The first are for MONAI's workflows (``load``, ``create_workflow``, ``run``), of
    which no ``bundle_root`` is asked: nothing tells an expression where its file lies, but the workflow that evaluates
    it is among its callers and knows, as ``config_root_path``. Then ``bundle_root``, for programs that read a config
    themselves (MONAI Label, ``ckpt_export``); at its default, ``.``, it says nothing, and comes last. ``sys.path`` is
    for MONAI Deploy's operator, which leaves ``bundle_root`` as it is. Weights are looked for there as well.
``code_root``
    The first of them that holds the code.
``common``
    The code as attributes; see :mod:`common.vendored`, which refuses it where the process uses another one.
``code``
    The same under the name that the configs of the repository wait for: ``_requires_: '@code'``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

IMPORTS = re.compile(r"^imports:\n(?:- .*\n)+", re.MULTILINE)
"""The block that :data:`CODE` replaces."""

ALIAS = re.compile(r"^- \$import (common[\w.]*) as (\w+)$", re.MULTILINE)
INSTALLED = re.compile(r"^code: .*optional_import\('common'\).*\n", re.MULTILINE)
"""The item by which a config of the repository asks for an installed ``common``."""

WEIGHTS = re.compile(r"^checkpoint: \$@bundle_root \+ '/models/([\w.-]+\.pt)'", re.MULTILINE)
TARGET = re.compile(r"(_target_: )(common\.)")

CODE = """\
# the code of this package: a workflow of MONAI's knows the folder of its configs; other programs pass bundle_root, or
# have the package on sys.path
imports:
- $import inspect
- $import os
- $import runpy
- $import sys
code_places: "$[str(caller['config_root_path'].parent) for info in inspect.stack(0) \
for caller in [getattr(info.frame.f_locals.get('self'), '__dict__', {})] if 'config_root_path' in caller] \
+ [str(@bundle_root)] * (str(@bundle_root) != '.') + [*sys.path, '.']"
code_root: "$([place for place in @code_places if os.path.isfile(os.path.join(place, 'common', 'vendored.py'))] \
or [@bundle_root])[0]"
common: "$runpy.run_path(os.path.join(@code_root, 'common', 'vendored.py'))['open_code'](@code_root)"
code: $@common
"""


def aliases_in(texts: Mapping[str, str]) -> dict[str, str]:
    """The names by which the configs of a bundle import packages: ``networks`` → ``common.networks``."""
    return {alias: package for text in texts.values() for package, alias in ALIAS.findall(text)}


def refer_to_code(text: str, aliases: Mapping[str, str]) -> str:
    """A config, or an overlay, that refers to the package's code instead of importing it.

    Args:
        text: YAML, with its comments.
        aliases: of :func:`aliases_in`; an overlay uses those of the config that it is merged into.
    """
    text = INSTALLED.sub("", IMPORTS.sub(lambda _: CODE, text))
    text = TARGET.sub(r"\1$@\2", text)
    names = "|".join(map(re.escape, aliases))
    used = re.compile(rf"(?<![\w.@#'/])({names})\.(?=\w)")
    return "\n".join(_refer_in_line(line, used, aliases) for line in text.split("\n"))


def _refer_in_line(line: str, used: re.Pattern[str], aliases: Mapping[str, str]) -> str:
    code, mark, comment = line.partition("  # ")
    if not line.lstrip().startswith("#"):
        code = used.sub(lambda found: f"@{aliases[found[1]]}.", code)
    return code + mark + comment


def find_weights(text: str, bundle: str) -> str:
    """An inference config that finds the weights of its package, whatever ``bundle_root`` is.

    Args:
        text: YAML.
        bundle: its name.
    """
    found = rf"checkpoint: $@common.vendored.own_file('{bundle}', 'models/\1', @bundle_root, @code_places)"
    return WEIGHTS.sub(found, text)
