from __future__ import annotations

import io
import json
from typing import Any

import pytest
import torch
from monai.data import DataLoader, MetaTensor

from common.cohorts import SurvivalClasses, are_permuted, permute_labels
from common.errors import CheckpointError, DatasetError, KnobError
from common.transforms.clinical import (
    ClinicalEncoder,
    EncodeClinicald,
    add_clinical,
    clinical_features,
    clinical_width,
    fit_clinical,
    label_cases,
    refuse_unused,
)
from tests.facts import in_order


def patient(subject: str, age: float | None, resection: str | None = "GTR") -> dict[str, Any]:
    return {"subject": subject, "age": age, "resection": resection}


COMPLETE = [patient("a", 20.0), patient("b", 40.0, "STR"), patient("c", 60.0)]
GAPS = [patient("a", 20.0), patient("b", None, None), patient("c", 60.0), patient("d", 70.0, "STR")]


@pytest.mark.parametrize(
    ("features", "indicators", "width"),
    [
        ([], False, 0),
        ([], True, 0),
        ("age", False, 1),
        ("age", "true", 2),
        (["resection"], False, 2),
        (["resection"], True, 2),
        ("resection,age", False, 3),
        (("age", "resection"), True, 4),
    ],
)
def test_width_is_that_of_what_is_encoded(features: Any, indicators: Any, width: int) -> None:
    assert clinical_width(features, indicators) == width
    encoder = fit_clinical(COMPLETE, features, indicators)
    assert encoder.width == width
    assert len(encoder.encode(COMPLETE[0])) == width


def test_without_clinical_values_there_are_no_features() -> None:
    assert clinical_features("true", ["age"]) == ["age"]
    assert clinical_features("false", ["age"]) == []


def test_the_weights_that_are_judged_bring_their_encoder() -> None:
    trained = fit_clinical(COMPLETE, "age", False)
    others = [patient("x", 5.0), patient("y", 90.0)]
    assert fit_clinical(others, "age", False, {"encoder": trained.to_json()}) == trained
    assert fit_clinical([], "age", False, {"encoder": trained.to_json()}) == trained
    assert fit_clinical(others, "age", False, {"bundle": "of another kind"}) == fit_clinical(others, "age", False)


def test_ages_are_scaled_by_the_training_side() -> None:
    encoder = fit_clinical(COMPLETE, ["resection", "age"], False)
    assert encoder.encode(patient("x", 30.0, "STR")) == [0.25, 0.0, 1.0]
    assert encoder.encode(patient("x", 80.0, "GTR")) == [1.5, 1.0, 0.0]


def test_a_missing_age_is_the_mean_and_says_so() -> None:
    """Ages 20, 60 and 70 have the mean 50: 30 of 50 years up."""
    encoder = fit_clinical(GAPS, "age,resection", True)
    assert encoder.encode(patient("x", None, None)) == [pytest.approx(0.6), 1.0, 0.0, 0.0]
    assert encoder.encode(patient("x", 50.0, "GTR")) == [pytest.approx(0.6), 0.0, 1.0, 0.0]


def test_ages_that_are_all_the_same_do_not_divide_by_zero() -> None:
    assert fit_clinical([patient("a", 50.0)], "age", False).encode(patient("x", 70.0)) == [0.0]


def test_what_was_never_missing_may_not_be_missing_later() -> None:
    encoder = fit_clinical(COMPLETE, ["age", "resection"], True)
    with pytest.raises(DatasetError) as caught:
        encoder.encode(patient("x", None, None))
    assert [problem.what for problem in caught.value.problems] == ["no age is recorded", "no resection is recorded"]
    assert {problem.where for problem in caught.value.problems} == {"x"}


def test_a_resection_that_was_missing_in_training_may_be_missing_without_indicators() -> None:
    encoder = fit_clinical([patient("a", 20.0, None), patient("b", 60.0)], "age,resection", False)
    assert encoder.encode(patient("x", 20.0, None)) == [0.0, 0.0, 0.0]


def test_missing_ages_without_indicators_are_refused_at_the_start() -> None:
    with pytest.raises(KnobError, match=r"1 of 4 .* no age.*--missing_indicators true"):
        fit_clinical(GAPS, "age", "false")
    assert fit_clinical(GAPS, "resection", False).width == 2


def test_a_feature_that_nobody_has() -> None:
    with pytest.raises(DatasetError, match="no patient has a recorded age") as caught:
        fit_clinical([patient("a", None, None)], "age,resection", True)
    assert len(caught.value.problems) == 2


def test_an_unknown_feature() -> None:
    with pytest.raises(KnobError, match="kps is not a clinical feature"):
        fit_clinical(COMPLETE, "age,kps", True)


def test_add_clinical_tells_all_patients_at_once() -> None:
    encoder = fit_clinical(COMPLETE, "age,resection", True)
    with pytest.raises(DatasetError) as caught:
        add_clinical([patient("x", None), patient("y", 50.0, None), patient("z", None)], encoder)
    assert [problem.what for problem in caught.value.problems] == [
        "no age is recorded for x, z",
        "no resection is recorded for y",
    ]


def test_add_clinical_adds_plain_numbers_or_nothing() -> None:
    assert [record["clinical"] for record in add_clinical(COMPLETE, fit_clinical(COMPLETE, "age", False))] == [
        [0.0],
        [0.5],
        [1.0],
    ]
    assert add_clinical(COMPLETE, fit_clinical(COMPLETE, [], False)) == COMPLETE
    assert "clinical" not in COMPLETE[0]


@pytest.mark.parametrize("features", ["age,resection", "age", "resection", ""])
def test_a_checkpoint_keeps_the_encoder(features: str) -> None:
    encoder = fit_clinical(GAPS, features, True)
    file = io.BytesIO()
    torch.save({"provenance": {"encoder": encoder.to_json()}}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)["provenance"]["encoder"]
    assert ClinicalEncoder.from_json(loaded) == encoder
    assert ClinicalEncoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


@pytest.mark.parametrize("content", [{"features": ["age"]}, {"width": 3}])
def test_what_is_no_encoder(content: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="no clinical encoder"):
        ClinicalEncoder.from_json(content)


class TestEncodeClinicald:
    encoder = fit_clinical(COMPLETE, "age,resection", False).to_json()
    with_gaps = fit_clinical(GAPS, "age,resection", True).to_json()

    @pytest.mark.parametrize("age", [30, 30.0, "30", " 30.0 "])
    def test_numbers_and_text(self, age: Any) -> None:
        item = EncodeClinicald(self.encoder)({"subject": "x", "age": age, "resection": "str"})
        assert item["clinical"].dtype == torch.float32
        assert item["clinical"].tolist() == [0.25, 0.0, 1.0]
        assert item.keys() == {"subject", "clinical"}

    @pytest.mark.parametrize("nothing", [{}, {"age": None, "resection": None}, {"age": "NA", "resection": ""}])
    def test_missing_values_are_told_at_once_with_their_knobs(self, nothing: dict[str, Any]) -> None:
        with pytest.raises(DatasetError) as caught:
            EncodeClinicald(self.encoder)({"subject": "x", **nothing})
        age, resection = map(str, caught.value.problems)
        assert in_order(age, "x: no age is given", "--age 61")
        assert in_order(resection, "x: no resection is given", "GTR", "STR", "--resection GTR")

    def test_missing_values_that_were_learned_from(self) -> None:
        item = EncodeClinicald(self.with_gaps)({"subject": "x", "age": None, "resection": "NA"})
        assert item["clinical"].tolist() == [pytest.approx(0.6), 1.0, 0.0, 0.0]

    @pytest.mark.parametrize("age", ["sixty", -3, 121])
    def test_values_that_mean_nothing_are_never_taken_for_missing(self, age: Any) -> None:
        for encoder in (self.encoder, self.with_gaps):
            with pytest.raises(DatasetError, match=f"'{age}' is not") as caught:
                EncodeClinicald(encoder)({"subject": "x", "age": age, "resection": "GTR"})
            assert len(caught.value.problems) == 1

    def test_a_wrong_and_a_missing_value_are_one_error(self) -> None:
        with pytest.raises(DatasetError) as caught:
            EncodeClinicald(self.encoder)({"age": None, "resection": "partial"})
        assert len(caught.value.problems) == 2

    @pytest.mark.parametrize("encoder", [None, {}, fit_clinical(COMPLETE, [], False).to_json()])
    def test_a_network_without_clinical_values_gets_none_and_the_item_collates(self, encoder: Any) -> None:
        """A raw None, as of a patient without an age, could not be put into a batch."""
        items = [EncodeClinicald(encoder)({"subject": "x", "age": None, "resection": "GTR"})]
        (batch,) = DataLoader(items, batch_size=1)
        assert batch == {"subject": ["x"]}


def test_cases_get_their_labels_and_clinical_values() -> None:
    encoder = fit_clinical(COMPLETE, "age", False)
    cases = [{**case, "label": number} for number, case in enumerate(COMPLETE)]
    labelled = label_cases(cases, encoder)
    assert [(case["label"], case["clinical"]) for case in labelled] == [(0, [0.0]), (1, [0.5]), (2, [1.0])]
    shuffled = label_cases(cases, encoder, "true", seed=3)
    assert are_permuted(shuffled)
    assert [case["label"] for case in shuffled] == [case["label"] for case in permute_labels(cases, True, 3)]
    assert not are_permuted(label_cases(cases, encoder, "false"))


def test_survival_is_labelled_before_labels_are_shuffled() -> None:
    lived = [{**case, "survival_days": days} for case, days in zip(COMPLETE, (100, 300, 600), strict=True)]
    unknown = {**patient("e", 50.0), "survival_days": 200, "alive": True}
    classes = SurvivalClasses((266, 477))
    labelled = label_cases([*lived, unknown], ClinicalEncoder(()), survival=classes)
    assert [(case["subject"], case["label"]) for case in labelled] == [("a", 0), ("b", 1), ("c", 2)]
    shuffled = label_cases([*lived, unknown], ClinicalEncoder(()), True, 1, classes)
    assert sorted(case["label"] for case in shuffled) == [0, 1, 2]
    assert are_permuted(shuffled)


def test_values_that_the_network_does_not_read_are_refused() -> None:
    encoder = fit_clinical(COMPLETE, "age", False).to_json()
    refuse_unused({"age": 61, "resection": None}, encoder)
    refuse_unused({"age": None, "resection": None}, None)
    with pytest.raises(KnobError, match=r"--resection: this network does not read it"):
        refuse_unused({"age": 61, "resection": "GTR"}, encoder)
    with pytest.raises(KnobError) as caught:
        refuse_unused({"age": 61, "resection": "GTR"}, None)
    assert len(caught.value.problems) == 2


def test_a_value_of_which_nobody_says_anything_is_not_taken_for_unknown() -> None:
    """A request without a resection says nothing of it; one with NA says that it is not known."""
    encode = EncodeClinicald(fit_clinical(GAPS, "age,resection", True).to_json())
    with pytest.raises(DatasetError, match=r"no resection is given.*NA where it is not known"):
        encode({"subject": "x", "age": 61})
    assert encode({"subject": "x", "age": 61, "resection": "NA"})["clinical"][2:].tolist() == [0, 0]


def test_the_image_carries_them() -> None:
    encode = EncodeClinicald(fit_clinical(COMPLETE, "age,resection", False).to_json())
    item = encode({"image": MetaTensor(torch.zeros(1, 2, 2)), "age": 30, "resection": "STR"})
    assert item["image"][None].meta["clinical"] == [0.25, 0.0, 1.0]
