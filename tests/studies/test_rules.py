from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

from common.errors import KnobError
from common.studies import SeriesRule, read_rules

DESCRIPTIONS = {
    "Ax T1": "t1",
    "t1_mprage_sag": "t1",
    "T1 SE tra": "t1",
    "Sag 3D BRAVO": "t1",
    "Ax T1 post Gd": "t1ce",
    "T1CE": "t1ce",
    "t1c": "t1ce",
    "T1 MPRAGE +C": "t1ce",
    "MPRAGE T1 contrast": "t1ce",
    "Ax T2": "t2",
    "t2_tse_tra": "t2",
    "Ax T2 FLAIR": "flair",
    "FLAIR post Gd": "flair",
    "t2_tirm_tra_dark-fluid": "flair",
    "T2* GRE": None,
    "ADC": None,
    "Localizer": None,
}


@pytest.mark.parametrize(("description", "modality"), DESCRIPTIONS.items())
def test_usual_descriptions(rules: tuple[SeriesRule, ...], description: str, modality: str | None) -> None:
    header = pydicom.Dataset()
    header.Modality, header.SeriesDescription = "MR", description
    assert [rule.name for rule in rules if rule.fits(header)] == ([modality] if modality else [])
    header.Modality = "CT"
    assert not any(rule.fits(header) for rule in rules)


def test_lists_say_what_must_and_must_not_be_there() -> None:
    rule = SeriesRule("t1", {"ImageType": ["original", "!MPR"]})
    header = pydicom.Dataset()
    assert not rule.fits(header)
    for values, fits in ((["ORIGINAL", "PRIMARY"], True), (["ORIGINAL", "MPR"], False), ("DERIVED", False)):
        header.ImageType = values
        assert rule.fits(header) is fits


def test_everything_that_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    selections = [
        {"name": "dwi", "conditions": {"SeriesDescription": "dwi"}},
        {"name": "t1", "conditions": {"SeriesDescripton": "t1", "Modality": "(", "EchoTime": [1, 2]}},
        {"name": "t2"},
    ]
    path.write_text(json.dumps({"selections": selections}))
    with pytest.raises(KnobError) as error:
        read_rules(path)
    for told in (
        "'dwi' is no name",
        "'SeriesDescripton' is no DICOM keyword",
        "'(' is no regular expression",
        "condition of EchoTime is neither",
        "t2 has no conditions",
    ):
        assert told in str(error.value)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"selections": []}', '{"selections": "t1"}'])
def test_files_without_rules(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "rules.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(KnobError, match=r"rules\.json"):
        read_rules(path)
