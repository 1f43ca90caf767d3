from __future__ import annotations

from typing import Any

import pytest

from common.errors import CheckpointError, KnobError, SplitLeakageError
from common.splits.guard import (
    check_disjoint,
    check_protocol,
    check_start,
    check_unseen,
    hash_scan,
    hash_subject,
    knows_scan,
)


def provenance(training: list[str], validation: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "training_subjects": [hash_subject(subject) for subject in training],
        "validation_subjects": [hash_subject(subject) for subject in validation or []],
        **more,
    }


def test_a_hash_hides_the_id_and_follows_the_person_through_the_releases() -> None:
    assert hash_subject("Brats18_CBICA_AAB_1") == hash_subject("BraTS19_CBICA_AAB_1")
    assert hash_subject("Brats18_CBICA_AAB_1") != hash_subject("Brats18_CBICA_AAG_1")
    assert hash_subject("BraTS20_Training_001") != hash_subject("BraTS20_Training_002")
    assert len(hash_subject("P1")) == 16
    assert hash_subject("abc") == "ba7816bf8f01cfea"  # FIPS 180-2, appendix B.1


def test_disjoint_sides_pass() -> None:
    check_disjoint({"train": ["A"], "validation": ["B"], "test": ["C"]}, "split.json")


def test_a_leak_names_ids_sides_and_file_for_all_pairs_at_once() -> None:
    with pytest.raises(SplitLeakageError) as caught:
        check_disjoint({"train": ["A", "B"], "validation": ["B"], "test": ["A"]}, "split.json")
    first, second = (str(problem) for problem in caught.value.problems)
    assert first.startswith("split.json: the same patients are in train and in validation: B.")
    assert "train and in test: A." in second


def test_a_leak_between_files_names_both() -> None:
    with pytest.raises(SplitLeakageError, match=r"a/split\.json and b/split\.json"):
        check_disjoint({"train": ["A"], "test": ["A"]}, {"train": "a/split.json", "test": "b/split.json"})


@pytest.mark.parametrize(
    ("train", "test"), [("A#001", "A#002"), ("A", "A#002"), ("Brats18_CBICA_AAB_1", "BraTS19_CBICA_AAB_1")]
)
def test_under_the_patient_protocol_two_slices_of_a_patient_are_a_leak(train: str, test: str) -> None:
    with pytest.raises(SplitLeakageError):
        check_disjoint({"train": [train], "test": [test]}, "split.json")


def test_under_the_published_protocol_patients_are_shared_but_never_a_slice() -> None:
    check_disjoint({"train": ["A#001"], "test": ["A#002"]}, "split.json", "paper")
    with pytest.raises(SplitLeakageError, match="same slices"):
        check_disjoint({"train": ["A#001"], "test": ["A#1"]}, "split.json", "paper")


def test_a_checkpoint_is_not_judged_on_whom_it_learned_from() -> None:
    with pytest.raises(SplitLeakageError) as caught:
        check_unseen(provenance(["A", "B"]), ["B", "C"], checkpoint_path="model.pt")
    told = str(caught.value)
    assert told.startswith("model.pt: it learned from patients to evaluate on: B.")
    assert "--allow_trained_on true" in told


def test_a_checkpoint_is_not_judged_on_whom_it_was_chosen_by() -> None:
    with pytest.raises(SplitLeakageError, match=r"best epoch was chosen on .*: C\."):
        check_unseen(provenance(["A"], ["C"]), ["C"])


def test_slices_are_told_apart_by_their_patient() -> None:
    with pytest.raises(SplitLeakageError):
        check_unseen(provenance(["A"]), ["A#003"])


def test_new_patients_and_the_explicit_word_pass() -> None:
    check_unseen(provenance(["A"], ["B"]), ["C"])
    check_unseen(provenance(["A"]), ["A"], allow_trained_on=True)


def test_a_checkpoint_that_does_not_say_whom_it_learned_from_is_refused() -> None:
    with pytest.raises(CheckpointError, match="does not say"):
        check_unseen({}, ["A"])
    with pytest.raises(CheckpointError, match="does not say"):
        check_start({}, {"validation": ["A"], "test": ["B"]})
    check_unseen({}, ["A"], allow_trained_on=True)


def test_a_checkpoint_of_the_published_protocol_passes_on_its_own_split_only() -> None:
    paper = provenance(["A"], protocol="paper", split_hash="1234")
    check_unseen(paper, ["A#001"], split_hash="1234")
    check_start(paper, {"validation": ["A#001"], "test": ["A#002"]}, split_hash="1234")
    for other in ("9999", None):
        with pytest.raises(SplitLeakageError):
            check_unseen(paper, ["A#001"], split_hash=other)
    with pytest.raises(SplitLeakageError):
        check_unseen({**paper, "protocol": "patient"}, ["A"], split_hash="1234")


def test_continuing_on_the_same_split_passes() -> None:
    check_start(provenance(["A"], ["B"]), {"train": ["A"], "validation": ["B"], "test": ["C"]})


def test_a_start_that_learned_from_the_held_out_patients_is_refused_for_both_sides() -> None:
    with pytest.raises(SplitLeakageError) as caught:
        check_start(provenance(["A", "B"], ["C"]), {"train": [], "validation": ["A"], "test": ["B", "C"]}, "stage1.pt")
    told = [str(problem) for problem in caught.value.problems]
    assert "patients of this run's validation side: A." in told[0]
    assert "patients of this run's test side: B, C." in told[1]
    assert all(line.startswith("stage1.pt") for line in told)


def test_the_published_protocol_comes_only_with_its_overlay() -> None:
    check_protocol("patient", None)
    check_protocol("paper", "paper")
    with pytest.raises(KnobError, match=r"configs/paper\.yaml"):
        check_protocol("paper", None)
    with pytest.raises(KnobError, match="'papper' is not a protocol"):
        check_protocol("papper", None)


def with_scans(training: str, *voxels: str) -> dict[str, Any]:
    return provenance([training], training_scans=[hash_scan(found) for found in voxels])


def test_a_hash_of_a_scan_is_keyed() -> None:
    assert len(hash_scan("0123456789abcdef")) == 16
    assert hash_scan("0123456789abcdef") not in ("0123456789abcdef", hash_subject("0123456789abcdef"))


def test_a_scan_is_known_under_another_id() -> None:
    learnt = with_scans("A", "t1 of A", "t2 of A")
    scans = {"renamed": ["other", "t2 of A"], "unmet": ["another"]}
    with pytest.raises(SplitLeakageError) as caught:
        check_unseen(learnt, ["renamed", "unmet"], checkpoint_path="model.pt", scans=scans)
    told = str(caught.value)
    assert "renamed (the same scan under another id)" in told and "unmet" not in told
    check_unseen(learnt, ["renamed"], allow_trained_on=True, scans=scans)
    check_unseen(learnt, ["unmet"], scans=scans)
    check_unseen(learnt, ["renamed"])


def test_the_best_epoch_may_not_be_chosen_on_a_renamed_scan() -> None:
    chosen = provenance(["A"], ["B"], validation_scans=[hash_scan("t1 of B")])
    with pytest.raises(SplitLeakageError, match="chosen on patients to evaluate on: renamed"):
        check_unseen(chosen, ["renamed"], scans={"renamed": ["t1 of B"]})


@pytest.mark.parametrize("side", ["validation", "test"])
def test_no_run_starts_from_weights_that_know_a_held_out_scan(side: str) -> None:
    sides = {"train": [], "validation": [], "test": [], side: ["renamed"]}
    with pytest.raises(SplitLeakageError, match=f"{side} side: renamed"):
        check_start(with_scans("A", "t1 of A"), sides, scans={"renamed": ["t1 of A"]})
    check_start(with_scans("A", "t1 of A"), sides, scans={"renamed": ["t1 of B"]})


def test_weights_say_whether_they_know_a_scan() -> None:
    learnt = {**with_scans("A", "t1 of A"), "validation_scans": [hash_scan("t1 of B")]}
    assert knows_scan(learnt, ["t1 of A"]) and knows_scan(learnt, ["flair of C", "t1 of B"])
    assert knows_scan(learnt, ["t1 of C"]) is False and knows_scan(learnt, []) is False
    assert knows_scan({}, ["t1 of A"]) is None and knows_scan({"training_scans": []}, ["t1 of A"]) is None


def test_only_an_evaluation_can_go_on_with_weights_that_do_not_say_whom_they_learned_from() -> None:
    with pytest.raises(CheckpointError, match="allow_trained_on"):
        check_unseen({}, ["p1"])
    with pytest.raises(CheckpointError) as caught:
        check_start({}, {"validation": ["p1"], "test": ["p2"]})
    assert "allow_trained_on" not in str(caught.value)
