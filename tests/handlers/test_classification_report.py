from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Engine

from common.cohorts import permute_labels
from common.cohorts.labels.survival_classes import SurvivalClasses
from common.cohorts.phantom_mark import MARK
from common.errors import CheckpointError
from common.handlers import ClassificationReport, Judged, SurvivalDays
from common.networks.weights.judged import JudgedWeights
from common.reports.classification.components import principal_components
from common.runs.processes import is_done
from common.runs.steps import Run
from common.shortcuts.answers import ShortcutReport
from common.shortcuts.probe import probe_shortcuts
from common.splits.manifest import SplitManifest

GRADES = ("LGG", "HGG")
SURVIVAL = SurvivalClasses((100.0, 200.0))
SPLIT = SplitManifest({"train": ("T",), "validation": ("V",), "test": ("P",)}, "0" * 64)
PROVENANCE = {"bundle": "a_bundle", "version": "0.1", "protocol": "patient", "epoch": 3, "training_subjects": ["x"]}
SEES_CLINICAL = {**PROVENANCE, "settings": {"clinical": True}}


class TinyClassifier(torch.nn.Module):
    """A small network with the layer that Grad-CAM needs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.feature_maps = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.head = torch.nn.Linear(4, classes)

    def forward(self, image: torch.Tensor, clinical: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(self.feature_maps(image).relu().mean(dim=(2, 3)))


def patient(subject: str, label: int | None, **values: Any) -> dict[str, Any]:
    return {"subject": subject, "source": "brats2020", "label": label, "grade": None, "age": None, **values}


def sample(subject: str, label: int, probabilities: list[float], **values: Any) -> tuple[dict[str, Any], Any]:
    item = {"subject": subject, "label": label, "image": torch.rand(3, 16, 16), **values}
    return item, {"pred": torch.tensor(probabilities).log(), "image": item["image"]}


def evaluate(report: ClassificationReport, samples: list[Any]) -> None:
    """Run an engine over batches of two samples."""

    def step(engine: Engine, batch: list[Any]) -> list[Any]:
        engine.state.batch = [item for item, _ in batch]  # type: ignore[assignment]
        return [output for _, output in batch]

    engine = Engine(step)
    report.attach(engine)  # type: ignore[arg-type]
    engine.run([samples[start : start + 2] for start in range(0, len(samples), 2)])


def metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def grade_report(folder: Path, also: Sequence[Any] = (), **values: Any) -> ClassificationReport:
    test = [
        patient("B", 1, grade="HGG", age=60.0),
        patient("A", 0, grade="LGG"),
        patient("C", 1, grade="HGG", age=50.0),
        *also,
    ]
    train = [patient(f"T{n}", n % 2, grade=GRADES[n % 2], age=55.0 + n if n % 2 else None) for n in range(8)]
    side, provenance = values.pop("side", "test"), values.pop("provenance", PROVENANCE)
    judged = Judged([*test, *train], SPLIT, side, provenance, train)
    return ClassificationReport(folder, values.pop("task", "grade"), judged, GRADES, **values)


GRADED = [sample("B", 1, [0.2, 0.8]), sample("A", 0, [0.4, 0.6]), sample("C", 1, [0.1, 0.9])]


def test_everything_is_left_for_a_person_and_for_a_program(tmp_path: Path, drawn: None) -> None:
    evaluate(grade_report(tmp_path), GRADED)
    rows = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    assert list(rows.index) == ["A", "B", "C"]
    assert rows["predicted"].to_dict() == {"A": "HGG", "B": "HGG", "C": "HGG"}
    assert rows.loc["A", "p_HGG"] == pytest.approx(0.6)
    assert not (tmp_path / "samples.csv").exists()  # a sample a patient
    assert np.loadtxt(tmp_path / "confusion_matrix.csv", delimiter=",").tolist() == [[0, 1], [0, 2]]
    found = metrics(tmp_path)
    assert (found["task"], found["target"], found["patients"], found["side"]) == ("classification", "grade", 3, "test")
    assert (found["recipe"], found["protocol"]) == ("ours", "patient")  # weights of before record the latter alone
    assert found["weights"] == {
        "bundle": "a_bundle",
        "version": "0.1",
        "protocol": "patient",
        "epoch": 3,
        "chosen_on": None,
        "kept": None,
    }
    assert found["measures"]["accuracy"]["mean"] == pytest.approx(2 / 3)
    assert found["measures"]["auc"]["mean"] == 1
    assert found["votes"] == []
    assert "Glioma grade: evaluation" in (tmp_path / "report.html").read_text(encoding="utf-8")


class Weights(dict[str, Any]):
    """A provenance of weights in a file."""

    def __init__(self, hash_of_file: str, **recorded: Any) -> None:
        super().__init__(PROVENANCE, **recorded)
        self.hash = hash_of_file


def test_evaluations_of_the_test_side_are_counted_and_told(tmp_path: Path) -> None:
    counts, pages = [], []
    for weights in ("one", "one", "other"):
        evaluate(grade_report(tmp_path, provenance=Weights(weights)), GRADED)
        counts.append(metrics(tmp_path)["test_evaluations"])
        pages.append((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert counts == [1, 1, 2]
    assert "This test side has been evaluated once." in pages[1]
    assert "This test side has been evaluated 2 times" in pages[2]
    evaluate(grade_report(tmp_path / "federated"), GRADED)
    assert "test_evaluations" not in metrics(tmp_path / "federated")  # the server's weights are no file


def test_the_temperature_that_fits_is_told_of_the_validation_side_alone(tmp_path: Path) -> None:
    evaluate(grade_report(tmp_path / "validation", side="validation", temperature=2.0), GRADED)
    found = metrics(tmp_path / "validation")
    fitted = found["fitted_temperature"]
    assert found["temperature"] == 2
    assert fitted["log_loss"] == pytest.approx(-np.log([0.4, 0.8, 0.9]).mean())
    assert fitted["fitted_log_loss"] < fitted["log_loss"]
    page = (tmp_path / "validation" / "report.html").read_text(encoding="utf-8")
    assert f"{fitted['value']:.2f}" in page
    assert "never by the test side" in page
    evaluate(grade_report(tmp_path / "test"), GRADED)
    assert "fitted_temperature" not in metrics(tmp_path / "test")


def test_the_page_of_an_ensemble_says_so(tmp_path: Path) -> None:
    evaluate(grade_report(tmp_path, provenance=Weights("both", members=2, epoch=[3, 8])), GRADED)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Weights: the mean probability of 2 networks, epochs 3, 8." in page
    assert metrics(tmp_path)["weights"]["members"] == 2


def test_a_shortcut_is_told_in_the_log_the_metrics_and_the_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, enough_shuffles: None
) -> None:
    """No LGG of 40 has an age; and a probe that was asked already is not asked again."""
    report = grade_report(tmp_path)
    report.records = [
        *report.records,
        *(patient(f"X{n}", n % 2, grade=GRADES[n % 2], age=50.0 if n % 2 else None) for n in range(40)),
    ]
    evaluate(report, GRADED)
    (warning,) = metrics(tmp_path)["shortcuts"]["warnings"]
    assert warning.startswith("Whether age is recorded predicts the grade: AUC")
    assert warning in caplog.text
    assert warning in (tmp_path / "report.html").read_text(encoding="utf-8")
    asked = probe_shortcuts(report.records[:4], "grade")
    evaluate(grade_report(tmp_path / "asked", shortcuts=asked), GRADED)
    assert metrics(tmp_path / "asked")["shortcuts"] == json.loads(json.dumps(asked.to_json()))


@pytest.mark.parametrize("mark", [MARK, "a patient"])
def test_phantoms_are_marked_once_in_the_metrics_and_in_the_records(tmp_path: Path, mark: str) -> None:
    """What a record says already counts, whatever its image says."""
    image = nib.Nifti1Image(np.ones((4, 4, 2), np.int16), np.eye(4))
    for name, text in (("flair", mark), ("marked", MARK)):
        image.header["descrip"] = text
        nib.save(image, tmp_path / f"{name}.nii.gz")
    report = grade_report(tmp_path, shortcuts=ShortcutReport("grade", {}, ()))
    first, *others = report.records
    report.records = [
        {**first, "flair": str(tmp_path / "flair.nii.gz")},
        *({**record, "phantom": False, "flair": str(tmp_path / "marked.nii.gz")} for record in others),
    ]
    evaluate(report, GRADED)
    assert metrics(tmp_path)["phantom"] is (mark == MARK)
    assert [record["phantom"] for record in report.records] == [mark == MARK, *[False] * len(others)]
    assert ("These are phantoms" in (tmp_path / "report.html").read_text(encoding="utf-8")) is (mark == MARK)


def test_three_classes_of_volumes_with_the_grades_on_their_own(tmp_path: Path) -> None:
    classes = (*GRADES, "healthy")
    people = [("A", 0), ("B", 1), ("C", 1), ("D", 2), ("E", 2)]
    records = [
        {**patient(name, label, grade=classes[label]), "source": "ixi" if label == 2 else "brats2019"}
        for name, label in people
    ]
    provenance = {**PROVENANCE, "settings": {"backbone": "mc3_18"}}
    report = ClassificationReport(tmp_path, "volume_grade", Judged(records, SPLIT, "test", provenance), classes)
    answers = {
        "A": [0.5, 0.3, 0.2],
        "B": [0.2, 0.3, 0.5],
        "C": [0.6, 0.3, 0.1],
        "D": [0.0, 0.1, 0.9],
        "E": [0.0, 0.0, 1.0],
    }
    evaluate(report, [sample(name, label, answers[name]) for name, label in people])
    found = metrics(tmp_path)
    assert (found["target"], found["backbone"]) == ("volume_grade", "mc3_18")
    assert found["subgroup"]["measures"]["auc"]["mean"] == 0.5  # B's share of HGG is above A's, C's below
    assert found["subgroup"]["taken_for_healthy"] == 1
    assert found["shortcuts"]["warnings"][0].startswith("Healthy brains come from one data set only (IXI).")
    assert "what follows is about LGG against HGG on its own" in found["verdict"]["sentences"][1]
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Healthy brains come from one data set only (IXI)" in html
    assert "P4, MC3, pre-trained (tables 2 to 5)" in html
    assert "P4, R3D" not in html


def test_the_baselines_answer_for_the_same_patients(tmp_path: Path) -> None:
    """Age is recorded of HGG alone, so that alone predicts the grade as well as a perfect network does."""
    second = patient("D", 0, grade="LGG")
    answers = [*GRADED, sample("D", 0, [0.6, 0.4])]
    evaluate(grade_report(tmp_path, [second], provenance=SEES_CLINICAL), answers)
    found = metrics(tmp_path)
    assert found["baselines"]["missing values alone"]["auc"]["mean"] == 1
    assert found["against_baselines"]["missing values alone"]["auc"]["mean"] == 0
    assert found["verdict"]["claim"] is False
    assert any("no evidence that the network uses the tumour" in told for told in found["verdict"]["sentences"])


def test_shuffled_labels_are_told_everywhere(tmp_path: Path) -> None:
    report = grade_report(tmp_path)
    assert report.describe()["permuted_labels"] is False
    records = permute_labels(report.records, enabled=True)
    train = [record for record in records if record["subject"].startswith("T")]
    judged = Judged(records, SPLIT, "test", PROVENANCE, train)
    evaluate(ClassificationReport(tmp_path, "grade", judged, GRADES), GRADED)
    found = metrics(tmp_path)
    assert found["permuted_labels"] is True
    assert found["verdict"]["claim"] is False
    assert "shuffled between patients" in found["verdict"]["sentences"][1]
    assert "--permute_labels true" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_samples_become_patients(tmp_path: Path) -> None:
    """A's slice without tumour has no vote, and B's second scan gets its own prediction."""
    slices = [
        sample("A", 0, [0.9, 0.1], slice=4, tumour=True),
        sample("A", 0, [0.8, 0.2], slice=3, tumour=True),
        sample("A", 0, [0.0, 1.0], slice=9, tumour=False),
        sample("B", 1, [0.3, 0.7], slice=0, tumour=True),
        sample("B", 1, [0.3, 0.7], slice=0, tumour=True),  # a sampler's padding: the same sample twice
        sample("C", 1, [0.6, 0.4], slice=2, tumour=True),
    ]
    evaluate(grade_report(tmp_path), slices)
    rows = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    assert rows["samples"].to_dict() == {"A": 2, "B": 1, "C": 1}
    assert rows.loc["A", "p_LGG"] == pytest.approx(0.85)
    table = pd.read_csv(tmp_path / "samples.csv")
    assert table[["subject", "sample"]].to_numpy().tolist() == [["A", 3], ["A", 4], ["A", 9], ["B", 0], ["C", 2]]
    votes = {vote["counted"]: vote["accuracy"] for vote in metrics(tmp_path)["votes"]}
    assert votes["all slices"] == pytest.approx(3 / 5)
    assert votes["majority vote, slices counted"] == pytest.approx(3 / 4)
    assert "From samples to patients" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_scans_are_rows_and_subjects_are_counted(tmp_path: Path) -> None:
    report = grade_report(tmp_path)
    report.records = [{**r, "scan": f"{r['subject']}-0"} for r in report.records]
    report.records.append({**report.records[0], "scan": "B-1"})
    scans = [sample(name, int(name != "A"), [0.3, 0.7], scan=f"{name}-0") for name in "ABC"]
    evaluate(report, [*scans, sample("B", 1, [0.8, 0.2], scan="B-1")])
    rows = pd.read_csv(tmp_path / "predictions.csv")
    assert rows[["subject", "scan"]].to_numpy().tolist() == [["A", "A-0"], ["B", "B-0"], ["B", "B-1"], ["C", "C-0"]]
    found = metrics(tmp_path)
    assert (found["patients"], found["scans"], found["measures"]["auc"]["n"]) == (3, 4, 3)


def survival_report(folder: Path, brats: bool = False) -> ClassificationReport:
    def dead(subject: str, days: float) -> dict[str, Any]:
        return patient(subject, SURVIVAL.label({"survival_days": days}), survival_days=days, alive=False, age=days / 3)

    train = [dead(f"T{n}", 40.0 * n + 20) for n in range(8)]
    test = [dead("A", 50), dead("B", 150), patient("C", 2, survival_days=250.0, alive=True, age=70.0)]
    aside = patient("D", None, survival_days=30.0, alive=True)
    judged = Judged([*test, *train, aside], SPLIT, "test", PROVENANCE, train)
    days = SurvivalDays(SURVIVAL, (60.0, 140.0, 240.0), brats)
    return ClassificationReport(folder, "survival", judged, SURVIVAL.names, survival=days)


SURVIVORS = [sample("A", 0, [1.0, 0.0, 0.0]), sample("B", 1, [0.0, 0.5, 0.5]), sample("C", 2, [0.0, 0.0, 1.0])]


def test_survival_is_judged_in_days_as_well(tmp_path: Path) -> None:
    evaluate(survival_report(tmp_path, brats=True), SURVIVORS)
    rows = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    assert rows["predicted_days"].to_dict() == {"A": 60, "B": 190, "C": 240}
    assert rows["days"].to_dict() == {"A": 50, "B": 150, "C": 250}
    assert rows["alive"].to_dict() == {"A": False, "B": False, "C": True}
    found = metrics(tmp_path)
    assert found["target"] == "survival"
    assert found["survival"]["measures"]["concordance"]["mean"] == 1
    assert found["survival"]["measures"]["brats_mse"]["mean"] == pytest.approx((10**2 + 40**2) / 2)
    assert found["survival"]["set_aside"] == 1
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Set aside: 1 of 12 patients" in page
    assert found["survival"]["shares_estimated"][2] > found["survival"]["shares"][2]
    assert "missing values alone" not in found["baselines"]  # that survival is recorded is no input here
    assert "age alone" in found["baselines"]


def test_the_measures_of_brats_are_an_option(tmp_path: Path) -> None:
    evaluate(survival_report(tmp_path), SURVIVORS)
    assert list(metrics(tmp_path)["survival"]["measures"]) == ["weighted_accuracy", "concordance"]


def test_heat_maps_of_the_first_six_patients(tmp_path: Path) -> None:
    report = grade_report(tmp_path, network=TinyClassifier(2))
    report.records = [patient(f"P{n}", n % 2, grade=GRADES[n % 2]) for n in range(8)]
    evaluate(report, [sample(f"P{n}", n % 2, [0.7, 0.3]) for n in range(8)])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "P5: HGG, predicted LGG." in page
    assert "P6: " not in page


def test_pictures_count_patients_and_where_they_have_several_samples_these_too(tmp_path: Path) -> None:
    report = grade_report(tmp_path)
    evaluate(report, GRADED)
    said = "each slice or image counted by itself"
    assert said not in (tmp_path / "report.html").read_text(encoding="utf-8")
    evaluate(report, [*GRADED, sample("B", 1, [0.7, 0.3], slice=1)])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert said in page
    assert "ROC curves over slices or images" in page


def test_heat_maps_are_of_every_class_and_lie_beside_the_page_as_arrays(tmp_path: Path) -> None:
    report = grade_report(tmp_path, network=TinyClassifier(2))
    labels = [0] * 6 + [1] * 2
    report.records = [patient(f"P{n}", label, grade=GRADES[label]) for n, label in enumerate(labels)]
    evaluate(report, [sample(f"P{n}", label, [0.7, 0.3]) for n, label in enumerate(labels)])
    with np.load(tmp_path / "heat_maps.npz") as found:
        assert found["names"].tolist() == ["P0", "P1", "P2", "P6", "P7"]
        assert found["truth"].tolist() == [0, 0, 0, 1, 1]
        assert found["predicted"].tolist() == [0] * 5
        assert found["images"].shape[0] == 5
        assert found["maps"].shape == (5, *found["images"].shape[2:])


def test_of_a_patients_masks_the_slice_with_the_most_tumour_is_shown(tmp_path: Path) -> None:
    report = grade_report(tmp_path, network=TinyClassifier(2))
    small, large = torch.zeros(3, 16, 16) - 1, torch.zeros(3, 16, 16) - 1
    small[0, 4, 4], large[0, 4:8, 4:8] = 1, 1
    slices = [
        sample("A", 0, [0.9, 0.1], slice=number, tumour=True, image=image)
        for number, image in enumerate((small, large, small))
    ]
    evaluate(report, slices)
    assert torch.equal(report.pictures["A"].image, large)
    assert "<h2>Heat maps</h2>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_second_evaluation_forgets_the_first(tmp_path: Path) -> None:
    report = grade_report(tmp_path)
    evaluate(report, GRADED)
    evaluate(report, GRADED[:2])
    assert metrics(tmp_path)["patients"] == 2


def test_the_first_process_writes_what_all_have_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = grade_report(tmp_path / "other", network=TinyClassifier(2))
    evaluate(other, GRADED[:1])
    report = grade_report(tmp_path, network=TinyClassifier(2))

    def gather(gathered: list[Any], own: Any) -> None:
        gathered[:] = [own, (other.rows, other.pictures)]

    monkeypatch.setattr("common.handlers.evaluation_report.idist.get_world_size", lambda: 2)
    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    evaluate(report, GRADED[1:])
    assert list(pd.read_csv(tmp_path / "predictions.csv")["subject"]) == ["A", "B", "C"]
    assert list(report.pictures) == ["A", "B", "C"]


def test_the_other_processes_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.handlers.evaluation_report.idist.get_rank", lambda: 1)
    evaluate(grade_report(tmp_path), GRADED)
    assert not list(tmp_path.iterdir())


def test_a_task_that_nobody_knows_is_judged_in_plain_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        evaluate(grade_report(tmp_path, task="IDH status"), GRADED)
    found = metrics(tmp_path)
    assert (found["target"], found["measures"]["auc"]["mean"]) == ("IDH status", 1)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Classification: evaluation</h1>" in page
    assert "P1, table 5" not in page
    assert "AUC of 3 patients: 1.000" in caplog.text


def test_an_evaluation_is_not_done_before_its_page_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``metrics.json`` is what a later command knows a finished evaluation by, an older one's as well."""

    def fail(*_: Any) -> None:
        raise MemoryError

    evaluate(grade_report(tmp_path), GRADED)
    monkeypatch.setattr("common.handlers.classification_report.write_page", fail)
    with pytest.raises(MemoryError):
        evaluate(grade_report(tmp_path), GRADED)
    assert (tmp_path / "predictions.csv").exists()
    run = Run("fold-0", tmp_path, ())
    assert not is_done(run)
    monkeypatch.undo()
    evaluate(grade_report(tmp_path), GRADED)
    assert is_done(run)


def test_tables_of_an_earlier_evaluation_do_not_stay_beside_those_of_another(tmp_path: Path) -> None:
    two = [sample("B", 1, [0.2, 0.8], slice=1), sample("B", 1, [0.3, 0.7], slice=2)]
    evaluate(grade_report(tmp_path), [*GRADED, *two])
    assert (tmp_path / "samples.csv").exists()
    (tmp_path / "mask_features.csv").write_text("of another network", encoding="utf-8")
    evaluate(grade_report(tmp_path), GRADED)
    assert not {"samples.csv", "mask_features.csv"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_answer_that_is_no_number_is_refused_before_anything_is_written(tmp_path: Path, value: float) -> None:
    item, output = sample("C", 1, [0.1, 0.9])
    output["pred"][1] = value
    weights = JudgedWeights(TinyClassifier(2), "runs/model.pt", SPLIT, own=PROVENANCE)
    report = grade_report(tmp_path / "run", provenance=weights)
    with pytest.raises(CheckpointError, match=r"runs/model\.pt: the network's answer for C is not a number"):
        evaluate(report, [*GRADED[:2], (item, output)])
    assert not (tmp_path / "run").exists()


class MaskClassifier(TinyClassifier):
    """Reduces its image features, as the networks of masks do."""

    def __init__(self) -> None:
        super().__init__(2)
        self.image_branch = torch.nn.Sequential(torch.nn.Flatten())

    def forward(self, image: torch.Tensor, clinical: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(self.image_branch(self.feature_maps(image).relu().mean(dim=(2, 3))))


def test_of_masks_the_shares_of_the_channels_and_the_networks_features_are_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = MaskClassifier()
    report = grade_report(tmp_path, network=network)
    masks = [sample(name, label, [0.4, 0.6], tumour=True, slice=index, shares=torch.tensor([0.1, 0.2, index / 10]))
             for name, label in (("A", 0), ("B", 1), ("C", 1)) for index in range(2)]  # fmt: skip

    def step(engine: Engine, batch: list[Any]) -> list[Any]:
        engine.state.batch = [item for item, _ in batch]  # type: ignore[assignment]
        network(torch.stack([item["image"] for item, _ in batch]))
        return [output for _, output in batch]

    engine = Engine(step)
    report.attach(engine)  # type: ignore[arg-type]
    engine.run([masks[:4], masks[4:]])
    rows = pd.read_csv(tmp_path / "samples.csv")
    assert rows["share_ED"].tolist() == pytest.approx([0.2] * 6)
    assert rows["share_ET"].tolist() == pytest.approx([0, 0.1] * 3)
    assert "features" not in rows
    found = pd.read_csv(tmp_path / "mask_features.csv")
    assert found[["subject", "sample"]].to_numpy().tolist() == rows[["subject", "sample"]].to_numpy().tolist()
    features = network.feature_maps(torch.stack([item["image"] for item, _ in masks])).relu().mean(dim=(2, 3))
    centred = (features - features.mean(dim=0)).detach().numpy().astype(float)
    spread = np.linalg.svd(centred, compute_uv=False) ** 2
    assert metrics(tmp_path)["mask_features"]["explained"] == pytest.approx(spread[:2] / spread.sum(), rel=1e-3)
    placed = found[["component_1", "component_2"]].to_numpy()
    assert (placed**2).sum(axis=0) == pytest.approx(spread[:2], rel=1e-3)


def test_too_few_masks_have_no_components() -> None:
    table, explained = principal_components(pd.DataFrame({"subject": ["A"]}), [np.zeros(8)])
    assert (len(table), explained) == (0, {})
    same, told = principal_components(pd.DataFrame({"subject": list("ABC")}), [np.ones(8)] * 3)
    assert told["explained"] == [0, 0]
    assert same["component_1"].tolist() == pytest.approx([0, 0, 0])
