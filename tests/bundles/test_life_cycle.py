"""The life of every bundle, in process: train, break off, resume, evaluate, infer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from common.errors import SplitLeakageError
from common.metrics import judge_regions
from tests.bundles.lifecycle import CASES, assert_same_runs, interrupt, load, refused

pytestmark = pytest.mark.slow

Begin = Callable[..., Any]
Life = tuple[str, Path]

CENSORED = ("survival", "masks")
"""Cases in which a patient of the test side may have no class."""


@pytest.fixture(scope="module", params=CASES)
def life(request: pytest.FixtureRequest, live: Callable[[str], Life]) -> Life:
    return live(request.param)


def results_of(life: Life) -> tuple[Path, pd.DataFrame]:
    """Where the evaluation lies, and its rows."""
    name, folder = life
    results = folder / CASES[name].results
    return results, pd.read_csv(results / "predictions.csv", dtype={"subject": str})


def test_a_resumed_run_equals_an_unbroken_one(life: Life, begin_case: Begin, tmp_path: Path) -> None:
    name, unbroken = life
    broken = begin_case(name, tmp_path, epochs=2)
    interrupt(broken, len(broken.trainer.data_loader) + 1)  # the second epoch's first step
    assert load(tmp_path / "models" / f"{CASES[name].weights}_last.pt")["epoch"] == 1
    begin_case(name, tmp_path, resume="true", epochs=2).run()
    assert_same_runs(unbroken, tmp_path, CASES[name].weights)
    histories = [pd.read_csv(folder / CASES[name].results / "history.csv") for folder in (unbroken, tmp_path)]
    assert len(histories[0]) == 2
    pd.testing.assert_frame_equal(*(history.drop(columns="seconds") for history in histories))


def test_an_evaluation_judges_every_test_patient_once(life: Life) -> None:
    results, rows = results_of(life)
    test_side = set(json.loads((results / "split.json").read_text())["test"])
    assert rows["scan" if "scan" in rows else "subject"].is_unique
    assert set(rows["subject"]) <= test_side
    assert set(rows["subject"]) == test_side or life[0] in CENSORED
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["patients"] == rows["subject"].nunique()
    if "truth" in rows:
        right = rows["truth"] == rows["predicted"]
        assert metrics["measures"]["accuracy"]["mean"] == pytest.approx(right.mean())
        assert "majority class" in metrics["baselines"]
    else:
        assert metrics["regions"]["WT"]["dice"]["mean"] == pytest.approx(rows["dice_WT"].mean())
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "phantom" in page
    assert all(subject in page for subject in rows["subject"])


def test_inference_says_of_a_patient_what_the_evaluation_said(
    life: Life, begin_case: Begin, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """From files to probabilities by another path, and with the same network twice, whose mean is itself."""
    name, folder = life
    case, (_, rows) = CASES[name], results_of(life)
    cohort = request.getfixturevalue(case.cohort)
    patient = rows[~rows["subject"].str.startswith("IXI")].iloc[0]
    weights = folder / "models" / f"{case.weights}.pt"
    copy = shutil.copy(weights, tmp_path / "copy.pt")
    where = {"checkpoint": f"{weights},{copy}", "output_dir": str(tmp_path)}
    config = case.config.replace("train", "inference")
    begin_case(name, tmp_path, config=config, **where, **case.patient(cohort, patient["subject"])).run()
    if name == "segmentation":
        check_label_maps(rows, tmp_path, cohort)
        return
    found = pd.read_csv(tmp_path / "predictions.csv", dtype={"subject": str}).set_index("subject")
    columns = [column for column in rows if column.startswith("p_")]
    row = found.loc[patient["scan"] if "scan" in rows else patient["subject"]]
    np.testing.assert_allclose(row[columns].astype(float), patient[columns].astype(float), atol=1e-4)
    assert str(row.name) in (tmp_path / "predictions.json").read_text()


def check_label_maps(rows: pd.DataFrame, results: Path, cohort: Path) -> None:
    """They lie in the patients' space, and score as the evaluation says."""
    volumes = pd.read_csv(results / "volumes.csv", index_col="subject")
    assert set(volumes.index) == {path.name for path in cohort.rglob("BraTS20_Training_*") if path.is_dir()}
    stored_as = np.array([0, 1, 2, 0, 3])
    for _, row in rows.iterrows():
        (truth_file,) = cohort.rglob(f"{row['subject']}_seg.nii.gz")
        truth, found = nib.load(truth_file), nib.load(results / f"{row['subject']}_seg.nii.gz")
        assert found.shape == truth.shape
        assert np.array_equal(found.affine, truth.affine)
        labels = [np.asarray(image.dataobj).astype(int) for image in (found, truth)]
        assert set(np.unique(labels[0])) <= {0, 1, 2, 4}
        measures = judge_regions(*(stored_as[label] for label in labels))
        for region, by_hand in measures.items():
            assert row[f"dice_{region}"] == pytest.approx(by_hand["dice"], abs=1e-6)
            assert row[f"hd95_{region}"] == pytest.approx(by_hand["hd95"], abs=1e-3)
        assert volumes.loc[row["subject"], "WT_ml"] == pytest.approx((labels[0] > 0).sum() / 1000, abs=0.006)


def test_patients_that_were_trained_on_are_not_judged_unasked(life: Life, begin_case: Begin, tmp_path: Path) -> None:
    """Another seed draws another test side."""
    name, folder = life
    own = folder / "models" / f"{CASES[name].weights}.pt"
    weights = {"checkpoint": [str(own), str(shutil.copy(own, tmp_path))], "output_dir": str(tmp_path)}
    unasked = {"shortcuts": None} if "shortcuts" in CASES[name].judging else {}
    error = refused(begin_case, name, tmp_path / "run", "evaluate", seed=3, **weights, **unasked)
    assert isinstance(error, SplitLeakageError)
