"""How often the test side of a split has been judged: who chooses among many results chooses by the test side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from common.errors import OutputError, Problem
from common.files import read_json, stable_hash, write_json
from common.splits.manifest import SplitManifest

FILE_NAME = "test_evaluations.json"
"""Beside the split of a run; training anew with ``--overwrite true`` leaves it."""


def count_evaluation(folder: str | Path, manifest: SplitManifest, weights: str) -> int:
    """Record that weights were judged on the test side, and count all that were. The run must hold its folder.

    Args:
        folder: of the run.
        manifest: its split.
        weights: their hash; the same weights count once.

    Returns:
        How many different weights this folder's evaluations have judged on this test side.

    Raises:
        OutputError: the record cannot be read or written.
    """
    path, test_side = Path(folder) / FILE_NAME, stable_hash(sorted(manifest.sides["test"]))
    record = _read(path)
    known = {entry["weights"] for entry in record if entry["test_side"] == test_side}
    if weights not in known:
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_json(path, [*record, {"date": date, "test_side": test_side, "weights": weights}])
    return len(known | {weights})


def hash_weights(paths: Iterable[Path]) -> str:
    """One hash for the files of a network, or of the members of an ensemble in any order."""
    return stable_hash(sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths))


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        record = read_json(path)
        if all({"weights", "test_side"} <= entry.keys() for entry in record):
            return list(record)
    except (OSError, ValueError, AttributeError, TypeError):
        pass
    what = "the record of how often this test side was judged is damaged"
    raise OutputError(Problem(what, path, "Restore it, or delete it: then it counts from 1 again."))
