from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from common import memory

needs_linux = pytest.mark.skipif(not memory.STATUS.exists(), reason="only Linux tells")
HELD = 200_000_000


@needs_linux
def test_the_peak_is_seen_though_it_is_over() -> None:
    with memory.watched() as peak:
        before = peak[0]
        held = bytearray(HELD)
        held[::4096] = b"1" * len(held[::4096])  # the system gives a page when it is written to
        time.sleep(10 * memory.INTERVAL)
        del held
    assert peak[0] - before > 0.9 * HELD / 1e6
    assert memory.anonymous() < peak[0] - 0.5 * HELD / 1e6


def test_another_system_tells_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    with memory.watched() as peak:
        assert math.isnan(peak[0])


def test_kilobytes_of_the_system_are_read_as_megabytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("VmRSS:\t 9000000 kB\nRssAnon:\t  250000 kB\nRssFile:\t 1 kB\n")
    monkeypatch.setattr(memory, "STATUS", status)
    assert memory.anonymous() == pytest.approx(256)
