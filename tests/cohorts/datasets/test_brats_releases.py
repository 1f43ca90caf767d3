from __future__ import annotations

import pytest

from common.cohorts.datasets.brats_releases import find_release


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("Brats18_CBICA_ABM_1", {"subject": "Brats18_CBICA_ABM_1", "source": "brats2018"}),
        ("BraTS20_Training_001", {"subject": "BraTS20_Training_001", "source": "brats2020"}),
        (
            "BraTS-GLI-00005-001",
            {"subject": "BraTS-GLI-00005", "scan": "BraTS-GLI-00005-001", "source": "brats2023"},
        ),
        (
            "BraTS-GLI-00005-101",
            {"subject": "BraTS-GLI-00005", "scan": "BraTS-GLI-00005-101", "source": "brats2024"},
        ),
    ],
)
def test_a_timepoint_is_no_part_of_the_subject(folder, names):
    release = find_release(folder)
    assert release is not None
    assert release.names(folder) == names


@pytest.mark.parametrize("folder", ["BraTS-GLI-00005", "BraTS-PED-00005-000", "BraTS20_Other_001", "x"])
def test_other_names_are_nobodys(folder):
    assert find_release(folder) is None


def test_a_file_may_have_an_odd_name_besides_the_usual_one():
    release = find_release("BraTS20_Training_355")
    assert release is not None
    assert release.stems("BraTS20_Training_355", "seg") == ["BraTS20_Training_355_seg", "W39_1998.09.19_Segm"]
    assert release.stems("BraTS20_Training_001", "t1ce") == ["BraTS20_Training_001_t1ce"]
