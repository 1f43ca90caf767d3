from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.cohorts.list_kind import find_list_kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("subject,image,label\na,a.jpg,tumour\n", "images"),
        ("subject,path,label\na,a.nii.gz,seg.nii.gz\n", "volumes"),  # a single modality, as MONAI's lists name it
        ("subject,flair,t1\na,a.nii.gz,b.nii.gz\n", "volumes"),
        ("subject,flair,t1\na,series,\n", "series"),
        ("subject,flair,mgmt\na,gone,1\n", "series"),  # its folders are missing; its reader tells so
        ("subject,flair,MGMT_value\na,gone,1\n", "series"),
        ("subject,flair,mgmt,seg\na,gone,1,seg\n", "volumes"),
        ("subject,flair,mgmt\na,gone.nii.gz,1\n", "volumes"),
        ("subject,flair,mgmt\na,gone,\n", "volumes"),  # a column without a value tells nothing
        ("subject,flair,image\na,,a.png\n", "images"),
        ("subject\na\n", "volumes"),
    ],
)
def test_columns_and_paths_tell_the_kind(tmp_path: Path, content: str, kind: str) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "list.csv").write_text(content)
    assert find_list_kind(tmp_path / "list.csv") == kind


def test_an_empty_path_is_not_the_lists_own_folder(tmp_path: Path) -> None:
    entries = [{"subject": "a", "flair": "a.nii.gz", "t1": ""}]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    assert find_list_kind(tmp_path / "list.json") == "volumes"


@pytest.mark.parametrize("content", ["{", "", "[1, 2]"])
def test_of_a_list_that_cannot_be_read_its_reader_tells_why(tmp_path: Path, content: str) -> None:
    (tmp_path / "list.json").write_text(content)
    assert find_list_kind(tmp_path / "list.json") == "volumes"
    assert find_list_kind(tmp_path / "gone.csv") == "volumes"


def test_a_list_of_images_in_several_modalities_as_json(tmp_path: Path) -> None:
    entries = [{"subject": "a", "image": ["flair.nii.gz", "t1.nii.gz"], "label": "seg.nii.gz"}]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    assert find_list_kind(tmp_path / "list.json") == "volumes"
