from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from common.cohorts import read_cohort
from common.cohorts.datasets.registry import find_data_set
from common.errors import DatasetError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2023 import brats2023_layout


@pytest.fixture
def rename(tmp_path: Path) -> Callable[[str], Path]:
    """Phantoms of BraTS 2023 under the names of another challenge."""

    def rename(pattern: str) -> Path:
        root = make_brats_phantoms(tmp_path / "data", patients=2, shape=(24, 24, 16), layout=brats2023_layout())
        for path in sorted(root.rglob("BraTS-*"), reverse=True):
            path.rename(path.with_name(re.sub(r"BraTS-GLI-(\d+)-000", pattern, path.name)))
        return root

    return rename


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"BraTS-MET-\1-000", "BraTS-MET, metastases"),
        (r"BraTS-PED-\1-000", "BraTS-PED, tumours of children"),
        (r"BraTS-MEN-\1-000", "BraTS-MEN, meningioma"),
        (r"BraTS-MEN-RT-\1-1", "BraTS-MEN, meningioma"),
    ],
)
def test_another_disease_is_named_and_refused(rename: Callable[[str], Path], pattern: str, told: str) -> None:
    with pytest.raises(DatasetError, match=f"holds {told}.*adult glioma") as error:
        read_cohort(rename(pattern))
    assert len(error.value.problems) == 1


def test_glioma_in_sub_saharan_africa_has_the_labels_of_2023(rename: Callable[[str], Path]) -> None:
    records = read_cohort(rename(r"BraTS-SSA-\1-000"))
    assert [record["subject"] for record in records] == ["BraTS-SSA-00000", "BraTS-SSA-00001"]
    assert {record["source"] for record in records} == {"brats2023_ssa"}
    assert records[0]["mask_values"] == [1, 2, 3]


def test_brats_2023_is_what_it_was(rename: Callable[[str], Path]) -> None:
    found = find_data_set(rename(r"BraTS-GLI-\1-000"))
    assert found is not None
    assert found.name == "brats2023"
