from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.errors import KnobError, OutputError
from common.files import write_json
from common.metrics import Baselines
from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.patient_predictions import to_patients
from common.reports.classification.summary import summarise_classification
from common.reports.comparison import compare_runs, write_comparison
from common.reports.segmentation import summarise_cohort


def leave_run(folder: Path, protocol: str, dice: tuple[float, float], **facts: str) -> Path:
    undefined = (float("nan"), float("nan"))
    measures = {
        f"{measure.name}_{region}": dice if measure.name == "dice" else undefined
        for measure in REGION_MEASURES
        for region in ("WT", "TC", "ET")
    }
    measures |= {f"{kind}_ml_{region}": undefined for kind in ("true", "predicted") for region in ("WT", "TC", "ET")}
    measures |= {f"soft_dice_{name}": dice for name in ("NCR", "ED", "ET")}
    rows = pd.DataFrame({"subject": ["a", "b"], "slices": [10, 30], **measures})
    summary = summarise_cohort(rows)
    write_json(folder / "metrics.json", {"protocol": protocol, "side": "test", **facts, **summary})
    return folder


def test_runs_stand_side_by_side_with_the_printed_numbers(tmp_path: Path) -> None:
    runs = [leave_run(tmp_path / "a", "patient", (0.5, 0.7)), leave_run(tmp_path / "b", "paper", (0.9, 0.9))]
    table = compare_runs(runs).set_index("measure")
    assert list(table.loc["recipe"]) == ["ours", "paper", "-"]  # of before: the paper's split came with its recipe
    assert list(table.loc["split"]) == ["by patient", "as the paper split", "-"]
    assert table.loc["Dice WT", str(runs[0])] == "0.600 (0.500 to 0.700)"
    assert table.loc["HD95 (pooled) WT in mm", str(runs[0])] == "-"
    assert table.loc["soft Dice NCR", "published"] == "0.8728"
    assert table.loc["soft Dice NCR", str(runs[1])].startswith("0.900")


def test_the_page_names_the_runs_on_phantoms_and_those_of_older_versions(tmp_path: Path) -> None:
    """Before `phantom` there was no such key."""
    runs = [leave_run(tmp_path / name, "patient", (0.5, 0.7)) for name in ("old", "marked", "real")]
    for run, phantom in zip(runs[1:], (True, False), strict=True):
        path = run / "metrics.json"
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "phantom": phantom})
    write_comparison(tmp_path / "page.html", compare_runs(runs), runs)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    (warning,) = re.findall(r'<p class="warning">(.*?)</p>', page)
    assert "<li>NSD at 1 mm: share of both surfaces" in page
    assert warning.startswith("These are phantoms")
    assert warning.endswith(f"Runs: {runs[1]}")
    assert re.search(rf"not recorded whether [^<]* phantoms: {re.escape(str(runs[0]))}</p>", page)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([("ours", "patient"), ("ours", "patient")], []),
        ([("paper", "paper")], []),  # nothing to compare it with
        ([("ours", "patient"), ("paper", "paper")], ["1 differs from 0 in its recipe and in its split"]),
        ([("paper", "patient"), ("paper", "paper")], ["1 and 0 have the same recipe: what the former gains"]),
        (
            [("paper", "paper"), ("paper", "patient"), ("ours", "patient"), ("ours", "paper")],
            ["0 and 1 have the same recipe", "3 and 2 have the same recipe"],
        ),
    ],
)
def test_only_what_one_recipe_gains_is_called_a_leak(
    tmp_path: Path, runs: list[tuple[str, str]], told: list[str]
) -> None:
    folders = [
        leave_run(tmp_path / str(number), protocol, (0.5, 0.7), recipe=recipe)
        for number, (recipe, protocol) in enumerate(runs)
    ]
    write_comparison(tmp_path / "page.html", compare_runs(folders), folders)
    page = (tmp_path / "page.html").read_text(encoding="utf-8").replace(f"{tmp_path}/", "")
    found = re.findall(r'<p class="warning">(\d [^<]*)</p>', page)
    assert [sentence.startswith(start) for sentence, start in zip(found, told, strict=True)] == [True] * len(told)


def test_every_run_that_was_not_evaluated_is_named(tmp_path: Path) -> None:
    good = leave_run(tmp_path / "a", "patient", (0.5, 0.7))
    with pytest.raises(OutputError) as caught:
        compare_runs([good, tmp_path / "none", tmp_path / "neither"])
    assert [problem.where for problem in caught.value.problems] == [
        str(tmp_path / "none"),
        str(tmp_path / "neither"),
    ]


def leave_classification(folder: Path, target: str, protocol: str, days: int = 100) -> Path:
    """Two of three survivors are right, and so is the order of all."""
    classes = (f"short (under {days} days)", f"mid ({days} to 299 days)", "long (300 days or more)")
    shares = np.array([[0.6, 0.3, 0.1], [0.1, 0.4, 0.5], [0.0, 0.1, 0.9]])
    rows = pd.DataFrame(shares, columns=[f"p_{name}" for name in classes]).assign(subject=list("abc"), truth=classes)
    rows["predicted"] = [classes[0], classes[2], classes[2]]
    baselines = Baselines({"age alone": np.full((3, 3), 1 / 3)}, {})
    samples = pd.concat([rows.assign(tumour=True), rows.assign(tumour=False)])
    facts = {"target": target, "protocol": protocol, "side": "test", "verdict": {"claim": False, "sentences": []}}
    concordance = {"mean": 0.75, "low": 0.5, "high": 1.0, "n": 3}
    summary = summarise_classification(rows, samples, classes, baselines)
    write_json(folder / "metrics.json", {**summary, **facts, "survival": {"measures": {"concordance": concordance}}})
    return folder


def test_classifications_stand_beside_both_papers(tmp_path: Path) -> None:
    """Tertiles differ between splits, so a class is the same row in all runs whatever its days."""
    runs = [
        leave_classification(tmp_path / "a", "survival", "patient"),
        leave_classification(tmp_path / "b", "survival", "paper", days=120),
    ]
    table = compare_runs(runs).set_index("measure")
    assert table.index.is_unique
    assert list(table.loc["split"]) == ["by patient", "as the paper split", "-", "-", "-"]
    assert table.loc["accuracy", str(runs[0])].startswith("0.667 (")
    assert table.loc["F1, long", "published: P1, table 6"] == "0.880"
    assert table.loc["accuracy, samples counted", str(runs[0])] == "0.667"
    assert table.loc["recall, long, samples counted", "published: P1, table 6"] == "0.960"
    assert table.loc["recall, mid", [str(run) for run in runs]].str.startswith("0.000").all()
    combined = "published: P3, predicted masks (section 5.3, table 3)"
    assert table.loc["accuracy, majority vote, slices counted", combined] == "0.983"
    assert table.loc["accuracy, all slices", str(runs[1])] == "0.667"
    assert table.loc["AUC, age alone", str(runs[0])] == "0.500"  # of one patient a class
    assert table.loc["concordance index (Harrell)", str(runs[0])] == "0.750 (0.500 to 1.000)"
    assert table.loc["beats chance and every baseline", str(runs[0])] == "not shown"


def test_a_task_that_nobody_knows_is_compared_without_printed_numbers(tmp_path: Path) -> None:
    run = leave_classification(tmp_path / "a", "IDH status", "paper")
    table = compare_runs([run])
    assert list(table) == ["measure", str(run)]
    write_comparison(tmp_path / "page.html", table, [run])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "slices or images of one patient are on both sides" in page


def test_runs_of_several_tasks_are_one_error(tmp_path: Path) -> None:
    runs = [
        leave_run(tmp_path / "a", "patient", (0.5, 0.7)),
        leave_classification(tmp_path / "b", "survival", "patient"),
        leave_classification(tmp_path / "c", "grade", "patient"),
    ]
    with pytest.raises(KnobError, match="runs of several tasks") as caught:
        compare_runs(runs)
    (problem,) = caught.value.problems
    assert problem.where == f"{runs[0]} (segmentation), {runs[1]} (survival), {runs[2]} (grade)"


def test_grades_on_their_own_are_rows_too(tmp_path: Path) -> None:
    classes = ("LGG", "HGG", "healthy")
    rows = pd.DataFrame(np.eye(3)[[0, 1, 1, 2]], columns=[f"p_{name}" for name in classes])
    truth = ["LGG", "HGG", "HGG", "healthy"]
    rows = rows.assign(subject=list("abcd"), truth=truth, predicted=truth)
    facts = {"target": "volume_grade", "protocol": "patient", "side": "test", "verdict": {"claim": False}}
    write_json(tmp_path / "metrics.json", {**summarise_classification(rows, rows, classes, Baselines({}, {})), **facts})
    table = compare_runs([tmp_path]).set_index("measure")
    assert table.loc["AUC, LGG against HGG", str(tmp_path)] == "1.000"  # one LGG: no interval
    assert table.loc["F1, LGG", "published: P4, MC3, pre-trained (tables 2 to 5)"] == "0.905"
    assert table.loc["weighted F1", "published: P4, R3D (tables 2 to 5)"] == "0.927"


def test_groups_of_copies_and_images_stand_side_by_side(tmp_path: Path) -> None:
    """Three images, two of them copies: two subjects by default, three in the paper's split."""
    runs = [tmp_path / "groups", tmp_path / "images"]
    classes = ("none", "tumour")
    rows = pd.DataFrame({"p_none": [0.9, 0.8, 0.2], "p_tumour": [0.1, 0.2, 0.8]})
    rows = rows.assign(truth=["none", "none", "tumour"], predicted=["none", "none", "tumour"])
    named = {"patient": {"subject": list("aac"), "scan": list("abc")}, "paper": {"subject": list("abc")}}
    for run, (protocol, names) in zip(runs, named.items(), strict=True):
        judged = rows.assign(**names)
        summary = summarise_classification(judged, judged, classes, Baselines({}, {}))
        facts = {"target": "tumour", "protocol": protocol, "side": "test", "verdict": {"claim": False}}
        write_json(run / "metrics.json", {**summary, **facts})
    table = compare_runs(runs).set_index("measure")
    assert list(table.index[:4]) == ["recipe", "split", "side", "groups of copies"]
    assert table.loc["groups of copies", [str(run) for run in runs]].tolist() == ["2", "-"]
    assert table.loc["images", [str(run) for run in runs]].tolist() == ["3", "3"]
    assert table.loc["accuracy", "published: P2, transfer (test set)"] == "0.980"
    assert not table.index.str.contains("samples counted").any()
    write_comparison(tmp_path / "page.html", compare_runs(runs), runs)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "copies of one image are on both sides of the split" in page
    assert "95 % intervals over groups of copies or images" in page
    assert "patients" not in page


def test_the_papers_split_of_volumes_has_no_patient_on_both_sides(tmp_path: Path) -> None:
    run = leave_classification(tmp_path / "a", "volume_grade", "paper")
    write_comparison(tmp_path / "page.html", compare_runs([run]), [run])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the test sides of its three splits overlap" in page
    assert "memory" not in page


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("macro_f1", "macro F1, samples counted"),
        ("recall_mid (1 to 2 days)", "recall, mid, samples counted"),
        ("average_precision", "average precision, samples counted"),
        ("average_precision_mid (1 to 2 days)", "average precision, mid, samples counted"),
        ("f1_no_tumour", "F1, no_tumour, samples counted"),
        ("average_precision_tumour", "average precision, tumour, samples counted"),
    ],
)
def test_underscores_in_the_names_of_measures_and_classes_are_told_apart(tmp_path: Path, key: str, row: str) -> None:
    run = leave_classification(tmp_path / "a", "survival", "patient")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    classes = ["mid (1 to 2 days)", "tumour", "no_tumour"]
    write_json(run / "metrics.json", {**metrics, "classes": classes, "of_samples": {key: 0.25}})
    assert compare_runs([run]).set_index("measure").loc[row, str(run)] == "0.250"


def test_a_way_of_counting_that_counts_nothing_has_a_dash(tmp_path: Path) -> None:
    """No slice of these patients has tumour, so the vote over slices with tumour has no accuracy."""
    grades = ("LGG", "HGG")
    rows = pd.DataFrame({"subject": list("AABB"), "sample": [0, 1, 0, 1], "truth": ["LGG", "LGG", "HGG", "HGG"]})
    rows = rows.assign(tumour=False, p_LGG=[0.9, 0.9, 0.2, 0.2], p_HGG=[0.1, 0.1, 0.8, 0.8])
    summary = summarise_classification(to_patients(rows, grades), rows, grades, Baselines({}, {}))
    facts = {"task": "classification", "target": "grade", "protocol": "patient", "recipe": "ours", "side": "test"}
    (tmp_path / "run").mkdir()
    write_json(tmp_path / "run" / "metrics.json", {**facts, **summary, "verdict": {"claim": False, "sentences": []}})
    table = compare_runs([tmp_path / "run"]).set_index("measure")[str(tmp_path / "run")]
    assert table["accuracy, slices with tumour"] == "-"
    assert table["accuracy, majority vote, patients counted"] == "1.000"
