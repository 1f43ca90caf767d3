"""A slice of ``make soak``: one bundle's life with a mishap in every phase, and several processes at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.soak.findings import half_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="it watches processes as Linux knows them")
def test_a_life_with_mishaps_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    options = [
        "--kills",
        "3",
        "--many",
        "2",
        "--only",
        "glioma_grade_classification",
        "--output",
        str(tmp_path / "soak"),
    ]
    command = [sys.executable, "-m", "tests.soak", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert " 0 faults" in done.stdout.splitlines()[-1]


def test_half_a_file_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "whole.npy", np.ones(100))
    whole = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "whole.csv").write_text("a,b\n1,2\n")
    (tmp_path / ".writing-a.json").write_text("{")
    assert list(half_files(tmp_path)) == []
    for name, content in (
        ("a.npy", whole[:-8]),
        ("a.json", b"{"),
        ("a.csv", b"a,b\n1,2"),
        ("a.pt", b"PK"),
        ("a.x", b""),
    ):
        (tmp_path / name).write_bytes(content)
    assert [told.split()[0] for told in half_files(tmp_path)] == ["a.csv", "a.json", "a.npy", "a.pt", "a.x"]
