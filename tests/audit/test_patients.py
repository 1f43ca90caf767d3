from __future__ import annotations

import pytest

from common.audit.patients import find_patients
from common.audit.split import Case
from common.errors import DatasetError, KnobError


def patients_of(*names: str, pattern: str | None = None) -> dict[str, str]:
    return dict(find_patients({name: Case(name) for name in names}, pattern).of_case)


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("BraTS-GLI-00001-000", "BraTS-GLI-00001"),
        ("train/BraTS-GLI-00001-001/BraTS-GLI-00001-001-t1c", "BraTS-GLI-00001"),
        ("BraTS2021_00003_flair_slice_57", "BraTS2021_00003"),
        ("sub-04_ses-01_T1w", "sub-04"),
        ("train/sub-04/anat/x", "sub-04"),
        ("TCGA-02-0001-01Z", "TCGA-02-0001"),
        ("UPENN-GBM-00001_21", "UPENN-GBM-00001"),
        ("test/patient_12/scan", "patient_12"),
        ("volume_41_slice_23", "volume_41"),
        ("test/volume_41_slice_23.png", "volume_41"),
        ("train/00003/FLAIR", "00003"),
        ("train/00003/T1wCE/Image-12.png", "00003"),
        ("IXI012-HH-1211-T1", "IXI012"),
        ("BraTS-PED-00001-000", "BraTS-PED-00001"),
        ("test/BraTS-MEN-RT-0024-1", "BraTS-MEN-RT-0024"),
        ("BraTS-MET-00086-001-t1c", "BraTS-MET-00086"),
    ],
)
def test_names_that_tell_the_patient(name, patient):
    assert patients_of(name) == {name: patient}


@pytest.mark.parametrize(
    "name", ["yes/y12", "Training/glioma/Tr-gl_0012", "image(3)", "genius_0800", "BRATS_001", "data/FLAIR/Image-1.png"]
)
def test_a_number_is_no_patient(name):
    assert patients_of(name) == {}


def test_one_person_in_two_releases():
    found = patients_of("Brats18_CBICA_AAB_1", "BraTS19_CBICA_AAB_1", "Brats18_2013_10_1", "Brats18_2013_11_1")
    assert found["Brats18_CBICA_AAB_1"] == found["BraTS19_CBICA_AAB_1"]
    assert len(set(found.values())) == 3


def test_the_list_says_it_and_a_pattern_overrules_it():
    cases = {"sub-1_a7": Case("sub-1_a7", patient="p9")}
    assert find_patients(cases).of_case == {"sub-1_a7": "p9"}
    assert find_patients(cases).sources == ["the list (1, such as sub-1_a7: p9)"]
    assert find_patients(cases, r"a\d").of_case == {"sub-1_a7": "a7"}


@pytest.mark.parametrize(
    "pattern", [r"(?P<subject>genius_\d+)_(\d+)", r"(genius_\d+)_\d", r"genius_\d+", r"(x)|(genius_\d+)"]
)
def test_a_pattern_names_or_groups_or_spans_the_patient(pattern):
    assert patients_of("genius_0800_2", pattern=pattern) == {"genius_0800_2": "genius_0800"}


@pytest.mark.parametrize("pattern", [r"(.+)_\d+", r"^(\w+)_\d+$"])
def test_a_pattern_does_not_see_the_folders_of_a_side_and_a_class(pattern):
    names = ("Training/glioma/p1_3.jpg", "Testing/no/p1_4.png")
    cases = {name: Case(name, by_id=False) for name in names}
    assert set(find_patients(cases, pattern).of_case.values()) == {"p1"}


def test_a_pattern_of_a_patients_folder():
    cases = {name: Case(name, by_id=False) for name in ("train/p1/slice_3", "test/p1/slice_4")}
    assert set(find_patients(cases, r"(.+)/slice").of_case.values()) == {"p1"}


def test_names_without_the_pattern_are_summed_up():
    with pytest.raises(DatasetError, match=r"in 7 of 8 names: n0, n1, n2, n3, n4 and 2 more"):
        patients_of("genius_1", *(f"n{number}" for number in range(7)), pattern=r"genius_\d")


def test_no_regular_expression():
    with pytest.raises(KnobError, match="--subject_pattern"):
        patients_of("a", pattern="(")
