from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from common.errors import SplitError
from common.splits import resolve
from common.splits.draw import draw_split
from common.splits.manifest import SIDES, load_manifest
from common.splits.resolve import resolve_split, side_records

RECORDS = [{"subject": f"P{number:02d}", "grade": "HGG" if number < 14 else "LGG"} for number in range(20)]
MINE = {"train": ["P00", "P01"], "validation": ["P02"], "test": ["P03"]}


def mine(folder: Path, **more: Any) -> Path:
    path = folder / "mine.json"
    path.write_text(json.dumps({**MINE, **more}), encoding="utf-8")
    return path


def test_the_split_is_written_once_and_reused(tmp_path: Path) -> None:
    first = resolve_split(RECORDS, tmp_path, seed=1, fold=2)
    written = (tmp_path / "split.json").read_bytes()
    assert resolve_split(RECORDS[::-1], tmp_path, seed=1, fold=2) == first == load_manifest(tmp_path / "split.json")
    assert (tmp_path / "split.json").read_bytes() == written
    assert [len(first.sides[side]) for side in SIDES] == [12, 4, 4]


def test_a_split_that_is_there_outlives_a_newer_splitter(tmp_path: Path) -> None:
    drawn = draw_split(RECORDS)
    other_sides = {"train": drawn.sides["train"], "validation": drawn.sides["test"], "test": drawn.sides["validation"]}
    older = type(drawn)(other_sides, drawn.cohort_hash, **drawn.settings)
    older.save(tmp_path / "split.json")
    assert resolve_split(RECORDS, tmp_path).sides == other_sides


def test_another_seed_or_cohort_in_the_same_folder_is_told_and_nothing_is_written_over(tmp_path: Path) -> None:
    resolve_split(RECORDS, tmp_path)
    written = (tmp_path / "split.json").read_bytes()
    with pytest.raises(SplitError, match=r"seed was 0 and is 1; fold was 0 and is 3.*--output_dir"):
        resolve_split(RECORDS, tmp_path, seed=1, fold=3)
    with pytest.raises(SplitError, match=r"this run lacks P19"):
        resolve_split(RECORDS[:-1], tmp_path)
    with pytest.raises(SplitError, match=r"this run adds Q"):
        resolve_split([*RECORDS, {"subject": "Q", "grade": "HGG"}], tmp_path)
    assert (tmp_path / "split.json").read_bytes() == written


def test_a_split_file_is_used_kept_and_its_unused_patients_are_noted(tmp_path: Path) -> None:
    manifest = resolve_split(RECORDS, tmp_path / "run", split_file=mine(tmp_path))
    assert manifest.sides["train"] == ("P00", "P01")
    assert manifest.unused == tuple(f"P{number:02d}" for number in range(4, 20))
    assert load_manifest(tmp_path / "run" / "split.json") == manifest
    assert resolve_split(RECORDS, tmp_path / "run", split_file=tmp_path / "run" / "split.json") == manifest


def test_another_split_file_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    resolve_split(RECORDS, tmp_path / "run", split_file=mine(tmp_path))
    changed = mine(tmp_path, validation=["P03"], test=["P02"])
    with pytest.raises(SplitError, match="on different sides"):
        resolve_split(RECORDS, tmp_path / "run", split_file=changed)
    with pytest.raises(SplitError, match="method was by_hand and is k_fold"):
        resolve_split(RECORDS, tmp_path / "run")


def test_a_split_file_whose_patients_are_not_in_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match=r"mine\.json: .* not in the data set: X, Y\."):
        resolve_split(RECORDS, tmp_path / "run", split_file=mine(tmp_path, test=["Y", "X"]))
    assert not (tmp_path / "run").exists()


def test_a_file_of_the_other_split_is_refused(tmp_path: Path) -> None:
    draw_split(RECORDS).save(tmp_path / "mine.json")
    with pytest.raises(SplitError, match=r"made with --split_by patient.*Give --split_by patient"):
        resolve_split(RECORDS, tmp_path / "run", split_file=tmp_path / "mine.json", protocol="paper")


@pytest.mark.parametrize(
    ("knobs", "told"),
    [({"fold": 5}, "no fold 5 of 5"), ({"fold": -1}, "no fold -1"), ({"method": "loo"}, "'loo' is not a way to split")],
)
def test_knobs_without_meaning_are_refused(tmp_path: Path, knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(SplitError, match=told):
        resolve_split(RECORDS, tmp_path, **knobs)


def test_an_id_that_looks_like_a_slice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="cannot be part of an id: P#0"):
        resolve_split([{"subject": f"P#{number}"} for number in range(9)], tmp_path)


def test_monte_carlo_and_external_splits(tmp_path: Path) -> None:
    drawn = resolve_split(RECORDS, tmp_path / "a", fold=7, folds=10, method="monte_carlo", train_share=0.5)
    assert [len(drawn.sides[side]) for side in SIDES] == [8, 2, 10]
    assert drawn.settings["train_share"] == 0.5
    external = resolve_split(RECORDS, tmp_path / "b", method="external")
    assert [len(external.sides[side]) for side in SIDES] == [0, 0, 20]


def test_records_of_a_side_are_copies_in_the_cohorts_order(tmp_path: Path) -> None:
    manifest = resolve_split(RECORDS, tmp_path)
    found = side_records(RECORDS[::-1], manifest, "test")
    assert [record["subject"] for record in found] == sorted(manifest.sides["test"], reverse=True)
    found[0]["grade"] = "changed"
    assert "changed" not in {record["grade"] for record in RECORDS}


def test_the_published_split_gives_each_record_its_slices_of_the_side(tmp_path: Path) -> None:
    slices = {record["subject"]: 5 for record in RECORDS}
    manifest = resolve_split(RECORDS, tmp_path, protocol="paper", paper={"slices_per_subject": slices})
    assert [len(manifest.sides[side]) for side in SIDES] == [80, 10, 10]
    seen: dict[str, list[int]] = {record["subject"]: [] for record in RECORDS}
    for side in SIDES:
        for record in side_records(RECORDS, manifest, side):
            assert record["slices"] == sorted(record["slices"])
            seen[record["subject"]] += record["slices"]
    assert all(sorted(indices) == [0, 1, 2, 3, 4] for indices in seen.values())
    assert set(manifest.subjects("train")) & set(manifest.subjects("test"))


def test_the_published_split_over_images(tmp_path: Path) -> None:
    images = {record["subject"]: 4 for record in RECORDS}
    paper = {"unit": "image", "slices_per_subject": images, "shares": [0.72, 0.08, 0.2]}
    manifest = resolve_split(RECORDS, tmp_path, protocol="paper", paper=paper)
    assert (manifest.method, manifest.unit) == ("image_split", "image")
    assert [len(manifest.sides[side]) for side in SIDES] == [58, 6, 16]
    everything = sorted(unit for side in SIDES for unit in manifest.sides[side])
    assert everything == sorted(f"{subject}#{index}" for subject in images for index in range(4))
    record = next(record for record in side_records(RECORDS, manifest, "test"))
    mine = [unit for unit in manifest.sides["test"] if unit.startswith(record["subject"])]
    assert "slices" not in record
    assert record["images"] == [int(unit[-1]) for unit in mine]
    assert load_manifest(tmp_path / "split.json") == manifest


def test_other_shares_or_units_in_the_same_folder_are_told(tmp_path: Path) -> None:
    paper = {"slices_per_subject": {record["subject"]: 5 for record in RECORDS}}
    first = resolve_split(RECORDS, tmp_path, protocol="paper", paper=paper)
    assert "shares" not in first.settings
    assert first.stratify_by is None
    with pytest.raises(SplitError, match=r"shares was None and is \[0\.7, 0\.15, 0\.15\]"):
        resolve_split(RECORDS, tmp_path, protocol="paper", paper={**paper, "shares": [0.7, 0.15, 0.15]})
    with pytest.raises(SplitError, match="method was slice_split and is image_split; unit was slice and is image"):
        resolve_split(RECORDS, tmp_path, protocol="paper", paper={**paper, "unit": "image"})
    with pytest.raises(SplitError, match=r"split\.json: it splits slices, and this run splits images"):
        images, file = {**paper, "unit": "image"}, tmp_path / "split.json"
        resolve_split(RECORDS, tmp_path / "b", split_file=file, protocol="paper", paper=images)


def test_slices_are_spread_evenly_by_a_key_of_their_patient(tmp_path: Path) -> None:
    paper = {
        "slices_per_subject": {record["subject"]: 20 for record in RECORDS},
        "shares": (0.7, 0.15, 0.15),
        "stratify_units_by": "grade",
    }
    manifest = resolve_split(RECORDS, tmp_path, protocol="paper", paper=paper)
    high = {record["subject"] for record in RECORDS if record["grade"] == "HGG"}
    counts = {side: sum(unit.partition("#")[0] in high for unit in manifest.sides[side]) for side in SIDES}
    assert counts == {"train": 196, "validation": 42, "test": 42}
    assert manifest.settings["stratify_by"] == "grade"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit": "voxel"}, "'voxel' cannot be split"),
        ({"shares": (0.5, 0.1, 0.1)}, "cannot be split by the shares"),
    ],
)
def test_a_published_split_without_meaning(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    parts = {record["subject"]: 4 for record in RECORDS}
    with pytest.raises(SplitError, match=told):
        resolve_split(RECORDS, tmp_path, protocol="paper", paper={"slices_per_subject": parts, **change})


def test_several_scans_of_a_patient_cannot_be_split_by_slice(tmp_path: Path) -> None:
    records = [*RECORDS, {"subject": "P03", "scan": "P03-001"}]
    parts = {record["subject"]: 4 for record in RECORDS}
    with pytest.raises(SplitError, match=r"over slices cannot distinguish several scans of a patient: P03\."):
        resolve_split(records, tmp_path, protocol="paper", paper={"slices_per_subject": parts})


def test_other_ranks_wait_for_rank_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    expected = draw_split(RECORDS)
    writer = threading.Timer(0.3, expected.save, [tmp_path / "split.json"])
    writer.start()
    assert resolve_split(RECORDS, tmp_path) == expected
    writer.join()


def test_other_ranks_do_not_wait_for_ever_and_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(resolve, "WAIT_SECONDS", 0.2)
    with pytest.raises(SplitError, match="rank 0 has not written"):
        resolve_split(RECORDS, tmp_path)
    assert not list(tmp_path.iterdir())


def test_scans_of_a_patient_stay_on_one_side(tmp_path: Path) -> None:
    records = [{**record, "scan": f"{record['subject']}-{scan}"} for record in RECORDS for scan in (0, 1)]
    manifest = resolve_split(records, tmp_path)
    sides = [{record["subject"] for record in side_records(records, manifest, side)} for side in SIDES]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 20
    assert sum(len(side_records(records, manifest, side)) for side in SIDES) == 40


def test_a_split_file_of_slices_cannot_tell_scans_apart(tmp_path: Path) -> None:
    split_file = mine(tmp_path, unit="slice", train=["P00#1", "P01#0"], validation=["P00#2"], test=["P00#3"])
    content = json.loads(split_file.read_text())
    split_file.write_text(json.dumps({**content, "protocol": "paper"}))
    once = [{"subject": "P00", "scan": "P00-0"}, {"subject": "P01", "scan": "P01-0"}]
    assert resolve_split(once, tmp_path / "once", split_file=split_file, protocol="paper").unit == "slice"
    with pytest.raises(SplitError, match=r"cannot distinguish several scans of a patient: P00\."):
        again = [*once, {"subject": "P00", "scan": "P00-1"}]
        resolve_split(again, tmp_path / "run", split_file=split_file, protocol="paper")


def test_the_published_split_of_single_images_is_over_subjects(tmp_path: Path) -> None:
    """P2: the images are the subjects; a file of it is read again as such."""
    paper = {"unit": "subject", "stratify_by": None}
    split = resolve_split(RECORDS, tmp_path, method="hold_out_k_fold", folds=3, protocol="paper", paper=paper)
    assert split.stratify_by is None
    assert len(split.sides["test"]) == 4
    assert len(split.sides["validation"]) in (5, 6)
    assert split.unit == "subject"
    assert split.settings["train_share"] == 0.8
    again = resolve_split(RECORDS, tmp_path / "b", split_file=tmp_path / "split.json", protocol="paper", paper=paper)
    assert again == split
    assert [record["subject"] for record in side_records(RECORDS, split, "test")] == list(split.sides["test"])


def test_how_the_paper_split_counts_under_its_split_alone(tmp_path: Path) -> None:
    """P4: people are drawn 7:3; ours are folds."""
    paper = {"unit": "subject", "method": "monte_carlo", "train_share": 0.7}
    theirs = resolve_split(RECORDS, tmp_path / "paper", protocol="paper", paper=paper)
    assert (theirs.method, theirs.train_share, len(theirs.sides["test"])) == ("monte_carlo", 0.7, 6)
    ours = resolve_split(RECORDS, tmp_path / "patient", paper=paper)
    assert ours == resolve_split(RECORDS, tmp_path / "alone")
    assert (ours.protocol, ours.method, ours.train_share) == ("patient", "k_fold", None)


def test_another_data_set_is_for_test_whatever_the_paper_split(tmp_path: Path) -> None:
    paper = {"unit": "slice", "slices_per_subject": {record["subject"]: 5 for record in RECORDS}}
    split = resolve_split(RECORDS, tmp_path, protocol="paper", method="external", paper=paper)
    assert split.sides["test"] == tuple(sorted(record["subject"] for record in RECORDS))
    assert split.unit == "subject"


def test_a_split_knows_the_scans_of_its_subjects_also_where_it_is_reused(tmp_path: Path) -> None:
    records = [{**record, "scan": f"{record['subject']}-{scan}"} for record in RECORDS for scan in "ab"]
    for split in (resolve_split(records, tmp_path), resolve_split(records, tmp_path)):
        subject = split.sides["test"][0]
        assert {subject, f"{subject}-a", f"{subject}-b"} <= set(split.known_as("test"))
        assert len(split.known_as("test")) == 3 * len(split.sides["test"])
    assert "scans" not in json.loads((tmp_path / "split.json").read_text())
    assert split.hash == resolve_split(RECORDS, tmp_path / "alone").hash
