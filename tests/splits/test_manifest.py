from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import SplitError, SplitLeakageError
from common.splits.draw import draw_split
from common.splits.guard import hash_subject
from common.splits.manifest import SplitManifest, cohort_hash, load_manifest

RECORDS = [{"subject": f"P{number:02d}", "grade": "HGG" if number < 14 else "LGG"} for number in range(20)]


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_saved_manifest_comes_back_the_same(tmp_path: Path) -> None:
    manifest = draw_split(RECORDS, seed=2, fold=1)
    manifest.save(tmp_path / "split.json")
    again = load_manifest(tmp_path / "split.json")
    assert again == manifest
    assert again.hash == manifest.hash
    assert again.settings["stratify_by"] == "grade"


def test_every_setting_and_side_changes_the_hash() -> None:
    manifest = draw_split(RECORDS)
    sides = dict(manifest.sides)
    moved = {**sides, "train": sides["train"][1:], "test": tuple(sorted((*sides["test"], sides["train"][0])))}
    others = [
        replace(manifest, seed=1),
        replace(manifest, fold=1),
        replace(manifest, protocol="paper"),
        replace(manifest, cohort_hash=cohort_hash(["X"])),
        replace(manifest, sides=moved),
    ]
    assert len({one.hash for one in (manifest, *others)}) == 6
    assert replace(manifest, unused=("X",)).hash == manifest.hash


def test_an_edit_by_hand_is_refused(tmp_path: Path) -> None:
    content = draw_split(RECORDS).to_json()
    content["train"].append(content["test"].pop())
    with pytest.raises(SplitError, match="changed after it was made"):
        load_manifest(write(tmp_path / "split.json", content))


def test_a_changed_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="changed after it was made"):
        load_manifest(write(tmp_path / "split.json", {**draw_split(RECORDS).to_json(), "seed": 7}))


def test_a_file_made_by_hand_needs_only_the_sides(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.json", {"train": ["B", "A"], "validation": ["C"], "test": []})
    manifest = load_manifest(path)
    assert manifest.sides == {"train": ("A", "B"), "validation": ("C",), "test": ()}
    assert (manifest.method, manifest.unit, manifest.protocol) == ("by_hand", "subject", "patient")
    assert manifest.cohort_hash == cohort_hash(["A", "B", "C"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"train": ["A"], "test": ["B"]}, "the side 'validation' is missing"),
        ({"train": "A", "validation": [], "test": []}, "the side 'train' is not a list"),
        ({"train": [1], "validation": [], "test": []}, "the side 'train' is not a list"),
        ({"train": ["A", "A"], "validation": [], "test": []}, "names A twice"),
        ({"train": ["A"], "validation": [], "test": [], "protocol": "papper"}, "'papper' is not a protocol"),
        ({"train": ["A"], "validation": [], "test": [], "unit": "slice"}, "these ids name no slice: A"),
        ({"train": ["A#x"], "validation": [], "test": [], "unit": "image"}, "these ids name no image: A#x"),
        (["A"], "holds no sides"),
    ],
)
def test_a_malformed_file_is_told_with_its_name(tmp_path: Path, content: object, told: str) -> None:
    with pytest.raises(SplitError, match=told) as caught:
        load_manifest(write(tmp_path / "mine.json", content))
    assert "mine.json" in str(caught.value)


def test_all_missing_sides_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SplitError) as caught:
        load_manifest(write(tmp_path / "mine.json", {}))
    assert len(caught.value.problems) == 3


def test_a_leak_in_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitLeakageError, match=r"mine\.json.*: A\."):
        load_manifest(write(tmp_path / "mine.json", {"train": ["A"], "validation": [], "test": ["A"]}))


def test_slices_of_a_patient_on_two_sides_need_the_papers_split(tmp_path: Path) -> None:
    content = {"unit": "slice", "train": ["A#1"], "validation": [], "test": ["A#2"]}
    with pytest.raises(SplitLeakageError):
        load_manifest(write(tmp_path / "mine.json", content))
    manifest = load_manifest(write(tmp_path / "mine.json", {**content, "protocol": "paper"}))
    assert manifest.subjects("test") == ("A",)


def test_an_image_on_two_sides_is_a_leak_in_any_split(tmp_path: Path) -> None:
    content = {"unit": "image", "protocol": "paper", "train": ["A#1"], "validation": [], "test": ["A#2"]}
    manifest = load_manifest(write(tmp_path / "mine.json", content))
    assert manifest.subjects() == ("A",)
    with pytest.raises(SplitLeakageError, match="the same images are in train and in test: A#1"):
        load_manifest(write(tmp_path / "mine.json", {**content, "test": ["A#1"]}))


def test_shares_are_a_setting_only_where_they_were_chosen(tmp_path: Path) -> None:
    manifest = SplitManifest({"train": ("A",), "validation": (), "test": ()}, cohort_hash("A"))
    assert "shares" not in manifest.settings
    chosen = replace(manifest, shares=(0.7, 0.15, 0.15))
    assert chosen.hash != manifest.hash
    chosen.save(tmp_path / "split.json")
    assert load_manifest(tmp_path / "split.json") == chosen


def test_no_json_and_no_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("train: [A]", encoding="utf-8")
    with pytest.raises(SplitError, match="not JSON"):
        load_manifest(tmp_path / "mine.json")
    with pytest.raises(SplitError, match="cannot be read"):
        load_manifest(tmp_path / "nowhere.json")


def test_provenance_hides_the_ids_and_remembers_the_start() -> None:
    sides = {"train": ("A",), "validation": ("B",), "test": ("C",)}
    manifest = SplitManifest(sides, cohort_hash("ABC"))
    found = manifest.provenance(start={"training_subjects": [hash_subject("Z")], "validation_subjects": []})
    assert set(found["training_subjects"]) == {hash_subject("A"), hash_subject("Z")}
    assert found["validation_subjects"] == [hash_subject("B")]
    assert (found["split_hash"], found["protocol"]) == (manifest.hash, "patient")
