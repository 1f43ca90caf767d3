from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ignite.distributed as idist
import pytest

from common.cache_folder import default_cache_dir, first_process_first
from common.commands import ROOT


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIOMA_CACHE_DIR", str(tmp_path / "a"))
    assert default_cache_dir() == tmp_path / "a"
    monkeypatch.delenv("GLIOMA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert default_cache_dir() == tmp_path / "b" / "glioma-bundles" / "cases"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == Path.home() / ".cache" / "glioma-bundles" / "cases"


@pytest.mark.parametrize(("rank", "order"), [(0, ["work", "wait"]), (1, ["wait", "work"])])
def test_the_first_process_goes_first(rank: int, order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr(idist, "get_rank", lambda: rank)
    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    monkeypatch.setattr(idist, "barrier", lambda: happened.append("wait"))
    with first_process_first():
        happened.append("work")
    assert happened == order


def test_a_process_without_torch_does_not_load_it() -> None:
    program = (
        "import sys; from common.cache_folder import first_process_first\n"
        "with first_process_first(): print('worked')\n"
        "print(sorted({'torch', 'ignite', 'monai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["worked", "[]"]
