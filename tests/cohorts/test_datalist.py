from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from common.cohorts.datalist import read_datalist
from common.cohorts.list_kind import find_list_kind
from common.cohorts.reading import read_cohort
from common.errors import DatasetError
from common.records import scan_of

MODALITIES = ("flair", "t1", "t1ce", "t2")
KEYS = (*MODALITIES, "seg")


@pytest.fixture
def entry(tmp_path, write_volume):
    """Makes the files of a patient and the entry that lists them, relative to ``tmp_path``."""

    def make(subject: str, keys: tuple[str, ...] = KEYS, **more: object) -> dict[str, object]:
        for key in keys:
            write_volume(tmp_path / subject / f"{key}.nii.gz")
        return {"subject": subject, **{key: f"{subject}/{key}.nii.gz" for key in keys}, **more}

    return make


def write_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_json_entries_become_records(tmp_path, entry):
    entries = [entry("p2"), entry("p1", age=61, survival_days=400, alive=True, resection="STR", grade="LGG")]
    first, second = read_datalist(write_json(tmp_path / "list.json", {"training": entries}))
    assert first == {
        "subject": "p1",
        "source": "datalist",
        **{key: str(tmp_path / "p1" / f"{key}.nii.gz") for key in KEYS},
        "mask_values": [1, 2, 4],
        "grade": "LGG",
        "age": 61.0,
        "survival_days": 400.0,
        "alive": True,
        "resection": "STR",
    }
    assert (second["subject"], second["age"], second["alive"]) == ("p2", None, False)


def test_csv_and_json_say_the_same(tmp_path, entry):
    entries = [entry("p1", age=61, mask_values="1 2 3"), entry("p2", age="NA", mask_values="")]
    plain = read_datalist(write_json(tmp_path / "list.json", entries))
    assert read_datalist(write_csv(tmp_path / "list.csv", entries)) == plain
    assert [record["mask_values"] for record in plain] == [[1, 2, 3], [1, 2, 4]]


def test_patients_of_a_given_validation_list_are_not_lost(tmp_path, entry):
    content = {"training": [entry("p1")], "validation": [entry("p2")], "testing": [{"subject": "p3"}]}
    assert [record["subject"] for record in read_datalist(write_json(tmp_path / "list.json", content))] == ["p1", "p2"]
    content = {"testing": [entry("p3", MODALITIES)]}
    (record,) = read_datalist(write_json(tmp_path / "list.json", content), need_seg=False)
    assert record["subject"] == "p3"
    assert "seg" not in record


def test_four_paths_under_image_stand_in_the_order_of_the_modalities(tmp_path, entry):
    listed = entry("p1")
    images = [listed.pop(key) for key in MODALITIES]
    listed["label"] = listed.pop("seg")
    (record,) = read_datalist(write_json(tmp_path / "list.json", [{**listed, "image": images}]))
    assert record["t1ce"] == str(tmp_path / "p1" / "t1ce.nii.gz")
    assert record["seg"] == str(tmp_path / "p1" / "seg.nii.gz")
    assert not {"image", "label"} & set(record)


def test_one_file_of_four_channels(tmp_path, write_volume):
    path = write_volume(tmp_path / "all.nii.gz", np.ones((3, 3, 3, 4), np.int16))
    listed = {"subject": "p1", "image": "all.nii.gz"}
    (record,) = read_datalist(write_csv(tmp_path / "list.csv", [listed]), need_seg=False)
    assert record["image"] == str(path)
    assert not set(MODALITIES) & set(record)
    (record,) = read_datalist(write_json(tmp_path / "list.json", [listed]), need_seg=False, modalities=("t1ce",))
    assert record["t1ce"] == str(path)


def test_labels_of_the_whole_file(tmp_path, entry):
    content = {"mask_values": [2, 1, 3], "training": [entry("p1"), entry("p2", mask_values=[1, 2, 4])]}
    records = read_datalist(write_json(tmp_path / "list.json", content))
    assert [record["mask_values"] for record in records] == [[2, 1, 3], [1, 2, 4]]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"label": "p1/t2.nii.gz"}, "seg and label"),
        ({"Survival": 5, "survival_days": 500}, "Survival and survival_days"),
        ({"Age": 5, "age": 50}, "Age and age"),
    ],
)
def test_two_keys_of_one_meaning(tmp_path, entry, more, told):
    path = write_json(tmp_path / "list.json", [entry("p0"), entry("p1", **more)])
    with pytest.raises(DatasetError, match=f"entry 2: two of its keys mean the same: {told}"):
        read_datalist(path)


@pytest.mark.parametrize("given", ["-1,2,4", "[-1, 2, 4]", [-1, 2, 4], "1.5 2 4", [0, 1, 2], "1 2", "1 2 3 4 5"])
def test_values_that_no_mask_has(tmp_path, entry, given):
    for path in (
        write_csv(tmp_path / "list.csv", [entry("p1", mask_values=given)]),
        write_json(tmp_path / "list.json", [entry("p1", mask_values=given)]),
    ):
        with pytest.raises(DatasetError, match="mask_values is"):
            read_datalist(path)


@pytest.mark.parametrize("given", ["1 2 3", "1-2-3", "1;2;3", "[1.0, 2.0, 3.0]", [1, 2, 3], [1.0, 2.0, 3.0]])
def test_ways_to_write_the_values_of_a_mask(tmp_path, entry, given):
    (record,) = read_datalist(write_json(tmp_path / "list.json", [entry("p1", mask_values=given)]))
    assert record["mask_values"] == [1, 2, 3]
    assert all(type(value) is int for value in record["mask_values"])


def test_all_problems_are_told_at_once(tmp_path, entry):
    nameless = {key: value for key, value in entry("p0").items() if key != "subject"}
    content = [
        nameless,
        entry("p1", age="old", mask_values=[1, 1, 2]),
        entry("p2"),
        entry("p2"),
        {**entry("p3"), "t2": "p3/lost.nii.gz"},
        {**entry("p4"), "flair": None},
        {**entry("p5"), "t1": "p5/t2.nii.gz"},
        entry("p6", image=None),
    ]
    path = write_json(tmp_path / "list.json", content)
    with pytest.raises(DatasetError) as error:
        read_datalist(path)
    lines = [str(problem) for problem in error.value.problems]
    expected = [
        "entry 1: no subject is given",
        "entry 2 (p1): column age: 'old' is not a number",
        "entry 2 (p1): mask_values is '[1, 1, 2]'",
        "patient p2 is listed more than once: entry 3, entry 4",
        f"its t2 {tmp_path / 'p3' / 'lost.nii.gz'} does not exist",
        "entry 6 (p4): names no flair",
        "is listed as t1 of p5 and as t2 of p5",
    ]
    assert len(lines) == len(expected)
    for what in expected:
        assert any(what in line for line in lines), what


def test_entries_without_a_subject_are_one_problem(tmp_path):
    path = write_json(tmp_path / "dataset.json", {"training": [{"image": f"{n}.nii.gz"} for n in range(484)]})
    with pytest.raises(DatasetError, match="entry 5 and 479 more: no subject is given") as error:
        read_datalist(path)
    assert len(error.value.problems) == 1


def test_two_patients_must_not_share_a_file(tmp_path, entry):
    path = write_json(tmp_path / "list.json", [entry("p1"), {**entry("p1"), "subject": "p2"}])
    with pytest.raises(DatasetError, match="flair of p1 and as flair of p2"):
        read_datalist(path)


def test_a_csv_without_the_needed_columns(tmp_path):
    path = write_csv(tmp_path / "list.csv", [{"patient": "p1", "FLAIR": "f", "t1": "x", "t2": "y"}])
    with pytest.raises(
        DatasetError, match=r"no column subject, t1ce, seg \(or label\); its columns are patient, FLAIR"
    ):
        read_datalist(path)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("list.json", "{'training': []}", "cannot be read as JSON"),
        ("list.json", '{"training": []}', "lists no patient"),
        ("list.json", '{"train": [{"subject": "p1"}]}', "lists no patient"),
        ("list.json", '"p1"', "holds no list of patients"),
        ("list.json", '["p1.nii.gz", {}]', "entry 1 is not an object"),
        ("list.csv", "", "the file is empty"),
        ("list.csv", "subject,flair,t1,t1ce,t2,seg\n", "lists no patient"),
        ("list.txt", "p1", r"no \.json, \.csv or \.tsv"),
    ],
)
def test_lists_that_are_none(tmp_path, name, text, what):
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=what):
        read_datalist(tmp_path / name)


def test_a_missing_list(tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        read_datalist(tmp_path / "list.json")


def test_scans_of_one_patient_are_entries_with_names_of_their_own(tmp_path, write_patient):
    for name in ("a-0", "a-1", "b"):
        write_patient(tmp_path / name)
    entries = [
        {"subject": name[0], "scan": name if "-" in name else None}
        | {key: f"{name}/{name}_{key}.nii.gz" for key in ("flair", "t1", "t1ce", "t2", "seg")}
        for name in ("b", "a-1", "a-0")
    ]
    path = tmp_path / "list.json"
    path.write_text(json.dumps(entries))
    records = read_datalist(path)
    assert [(record["subject"], record.get("scan")) for record in records] == [("a", "a-0"), ("a", "a-1"), ("b", None)]
    assert [record["scan"] for record in read_cohort(datalist=path, exclude="b")] == ["a-0", "a-1"]
    assert [scan_of(record) for record in read_cohort(datalist=path, exclude="a-0")] == ["a-1", "b"]
    assert [scan_of(record) for record in read_cohort(datalist=path, exclude=["a"])] == ["b"]


def test_a_scan_that_is_listed_twice_and_a_name_of_two_things(tmp_path, write_patient):
    write_patient(tmp_path / "p")
    files = {key: f"p/p_{key}.nii.gz" for key in ("flair", "t1", "t1ce", "t2", "seg")}
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"subject": "a", "scan": "b", **files}, {"subject": "b", **files}]))
    with pytest.raises(DatasetError, match=r"patient b is listed more than once: entry 1, entry 2.*under scan"):
        read_datalist(path)


@pytest.mark.parametrize("name", ["../../escaped", "a\\b", "x" * 300, "..", "a\nb"])
@pytest.mark.parametrize("key", ["subject", "scan"])
def test_an_id_that_cannot_name_a_file_is_refused_in_its_line(tmp_path, entry, name: str, key: str):
    entries = [{**entry("p1"), "scan": "s1", key: name}, entry("p2")]
    with pytest.raises(DatasetError) as caught:
        read_datalist(write_json(tmp_path / "list.json", {"training": entries}))
    (problem,) = caught.value.problems
    assert problem.where == f"{tmp_path / 'list.json'}, entry 1"
    assert problem.what.startswith(f"the {key} ")


def test_ids_that_look_alike_are_told_once(tmp_path, entry, write_volume, caplog: pytest.LogCaptureFixture):
    entries = [entry("001"), entry("1"), entry("p2")]
    for number, name in enumerate(("001", "1", "p2")):
        write_volume(tmp_path / name / "flair.nii.gz", np.arange(120, dtype=np.int16).reshape(6, 5, 4) + number)
    assert len(read_cohort(datalist=write_json(tmp_path / "list.json", {"training": entries}))) == 3
    assert [message for message in caplog.messages if "'001' and '1'" in message] == caplog.messages
    assert len(caplog.messages) == 1


def test_a_list_made_on_windows_in_a_country_with_decimal_commas(tmp_path, entry):
    entries = [entry("p1", age=61.5), entry("p2", age=48)]
    plain = read_datalist(write_json(tmp_path / "list.json", entries))
    rows = [[str(cell).replace("/", "\\") for cell in row.values()] for row in entries]
    lines = [";".join(row) for row in ([*entries[0]], *rows)]
    (tmp_path / "list.csv").write_text("\r\n".join(lines).replace("61.5", "61,5"), encoding="utf-16")
    assert read_datalist(tmp_path / "list.csv") == plain


@pytest.mark.parametrize("path", ["x" * 300, "~nobody-of-this-name", "a\0b", "\ud800"])
def test_a_path_that_the_system_refuses_is_told_in_its_entry(tmp_path, entry, path: str):
    # make fuzz, seed 0: csv_list 18, json_list 59, 121
    listed = write_json(tmp_path / "list.json", [{**entry("p1"), "t1": path}])
    assert find_list_kind(listed) == "volumes"
    with pytest.raises(DatasetError, match=r"entry 1 \(p1\): its t1 .* does not exist"):
        read_datalist(listed)


@pytest.mark.parametrize("section", [5, "p1", {"subject": "p1"}, True])
def test_a_section_that_is_no_list(tmp_path, section):
    # make fuzz, seed 0: json_list 132
    with pytest.raises(DatasetError, match="holds no list of patients"):
        read_datalist(write_json(tmp_path / "list.json", {"training": section}))


@pytest.mark.parametrize("write", [write_json, write_csv])
def test_a_column_under_another_name_is_told_since_its_values_would_be_lost(tmp_path, entry, caplog, write):
    rows = [{**entry("p1"), "Age (years)": 61, "grade": "LGG", "scanner": "A"}]
    read_cohort(datalist=write(tmp_path / f"list.{'json' if write is write_json else 'csv'}", rows))
    (told,) = [record.message for record in caplog.records if "nobody reads" in record.message]
    assert "its columns age (years), scanner; it has none that is called age, survival_days, resection" in told


def test_columns_of_ones_own_beside_all_clinical_values_are_not_told(tmp_path, entry, caplog):
    values = {"Grade": "LGG", "age": 61, "Survival": 300, "resection": "GTR", "scanner": "A"}
    read_cohort(datalist=write_json(tmp_path / "list.json", [entry("p1", **values)]))
    assert "nobody reads" not in caplog.text
