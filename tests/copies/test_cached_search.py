from __future__ import annotations

from pathlib import Path

import pytest

from common.cache_folder import clear_cache
from common.cohorts import read_br35h
from common.copies import cached_search, find_copies
from common.errors import KnobError
from common.phantoms.layouts.br35h import make_br35h_phantoms


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_br35h_phantoms(tmp_path_factory.mktemp("br35h"), originals=4, copies=1, side=100)


def test_copies_are_searched_once(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = read_br35h(cohort)
    found = find_copies(records, cache_dir=tmp_path)
    assert any(len(group) > 1 for group in found.groups)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("searched again")

    monkeypatch.setattr(cached_search, "search_copies", fail)
    again = find_copies(records[::-1], cache_dir=tmp_path)
    assert again.groups == found.groups
    assert again.pairs == found.pairs
    strict = find_copies(records, threshold=1.0, cache_dir=tmp_path)
    assert len(strict.groups) > len(found.groups)
    with pytest.raises(RuntimeError, match="searched again"):
        find_copies(records[1:], cache_dir=tmp_path)
    assert clear_cache(tmp_path) > 0
    with pytest.raises(RuntimeError, match="searched again"):
        find_copies(records, cache_dir=tmp_path)


def test_a_changed_file_is_looked_at_again(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{**record} for record in read_br35h(cohort)]
    find_copies(records, cache_dir=tmp_path / "cache")
    changed = tmp_path / "other.jpg"
    changed.write_bytes(Path(records[1]["image"]).read_bytes())
    records[0]["image"] = str(changed)
    names = {records[0]["subject"], records[1]["subject"]}
    assert any(names <= set(group) for group in find_copies(records, cache_dir=tmp_path / "cache").groups)


def test_a_threshold_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnobError, match="copy_threshold"):
        find_copies([], threshold=1.5, cache_dir=tmp_path)
