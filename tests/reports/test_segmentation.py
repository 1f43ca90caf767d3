from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from common.metrics.brats_measures import REGION_MEASURES
from common.reports.page import DASH
from common.reports.segmentation import (
    empty_table,
    interval,
    judge_volume,
    patient_table,
    region_table,
    soft_dice_table,
    summarise_cohort,
)

SPACING = (1.0, 2.0, 5.0)
"""A voxel is 10 mm³."""


def certain(classes: torch.Tensor, count: int = 4) -> torch.Tensor:
    """Logits that leave no doubt, (count, x, y, z)."""
    return torch.nn.functional.one_hot(classes, count).movedim(-1, 0).float() * 100


@pytest.fixture
def truth() -> torch.Tensor:
    """Two slices: four voxels of ED, two of NCR and two of ET in the first; nothing in the second."""
    classes = torch.zeros(4, 4, 2, dtype=torch.long)
    classes[:, 0, 0], classes[:2, 1, 0], classes[2:, 1, 0] = 2, 1, 3
    return classes


def test_a_patients_row_by_hand(truth: torch.Tensor) -> None:
    predicted = truth.clone()
    predicted[:, 0, 0] = 0  # all of ED is missed
    predicted[2, 1, 0] = 1  # one of ET's two is taken for NCR
    row = judge_volume(certain(predicted), truth[None], SPACING, whole=True)
    assert row["slices"] == 2
    assert row["dice_WT"] == pytest.approx(2 * 4 / (4 + 8))
    assert row["dice_TC"] == 1
    assert row["dice_ET"] == pytest.approx(2 * 1 / (1 + 2))
    assert row["hd95_TC"] == 0
    assert (row["true_ml_WT"], row["predicted_ml_WT"]) == pytest.approx((0.08, 0.04))
    assert (row["true_ml_ET"], row["predicted_ml_ET"]) == pytest.approx((0.02, 0.01))
    # with smoothing 1, the mean of the first slice and of the empty second, which scores 1
    assert row["soft_dice_NCR"] == pytest.approx(((2 * 2 + 1) / (3 + 2 + 1) + 1) / 2, abs=1e-5)
    assert row["soft_dice_ED"] == pytest.approx((1 / (0 + 4 + 1) + 1) / 2, abs=1e-5)
    assert row["soft_dice_ET"] == pytest.approx((3 / (1 + 2 + 1) + 1) / 2, abs=1e-5)


def test_soft_masks_are_judged_by_their_largest_class(truth: torch.Tensor) -> None:
    soft = certain(truth) / 100 * 0.8 + 0.05
    row = judge_volume(certain(truth), soft, SPACING, whole=True)
    assert row["dice_WT"] == 1


def test_a_fifth_class_is_judged_beside_the_others(truth: torch.Tensor) -> None:
    truth[2:, 3, 0] = 4
    predicted = truth.clone()
    predicted[2, 3, 0] = 0  # one of the cavity's two voxels is missed
    row = judge_volume(certain(predicted, 5), truth[None], SPACING, whole=True)
    assert row["dice_RC"] == pytest.approx(2 * 1 / (1 + 2))
    assert (row["true_ml_RC"], row["predicted_ml_RC"]) == pytest.approx((0.02, 0.01))
    assert (row["dice_WT"], row["dice_TC"], row["dice_ET"]) == (1, 1, 1)
    assert row["soft_dice_RC"] == pytest.approx((3 / (1 + 2 + 1) + 1) / 2, abs=1e-5)
    summary = summarise_cohort(pd.DataFrame([{"subject": "A", **row}]))
    assert list(summary["regions"]) == ["WT", "TC", "ET", "RC"]
    assert summary["mean_dice"]["mean"] == 1
    assert soft_dice_table(summary).set_index("class").loc["RC"].iloc[-1] == DASH
    assert region_table(summary)["region"].tolist() == ["WT", "TC", "ET", "RC"] * len(REGION_MEASURES)


def test_single_slices_have_neither_distance_nor_volume(truth: torch.Tensor) -> None:
    row = judge_volume(certain(truth), truth[None], SPACING, whole=False)
    assert row["dice_WT"] == 1
    of_volumes = ("hd95_", "lesion_dice_", "nsd_")
    assert all(np.isnan(value) for key, value in row.items() if key.startswith(of_volumes) or "_ml_" in key)


@pytest.fixture
def rows() -> pd.DataFrame:
    columns: dict[str, list[float]] = {"slices": [1, 3]}
    for region in ("WT", "TC", "ET"):
        columns |= {f"{measure.name}_{region}": [float("nan")] * 2 for measure in REGION_MEASURES}
        columns[f"dice_{region}"] = [0.6, 0.8]
        columns |= {f"{kind}_ml_{region}": [float("nan")] * 2 for kind in ("true", "predicted")}
    for name in ("NCR", "ED", "ET"):
        columns[f"soft_dice_{name}"] = [0.4, 0.8]
    return pd.DataFrame({"subject": ["A", "B"], **columns})


def test_a_cohort_is_summarised_over_patients_and_over_slices(rows: pd.DataFrame) -> None:
    summary = summarise_cohort(rows)
    assert summary["patients"] == 2
    assert summary["regions"]["WT"]["dice"]["mean"] == pytest.approx(0.7)
    assert summary["mean_dice"]["mean"] == pytest.approx(0.7)
    assert summary["soft_dice"]["mean of the three"]["mean"] == pytest.approx(0.6)
    over_slices = summary["soft_dice_over_slices"]["ED"]
    assert over_slices["mean"] == pytest.approx((1 * 0.4 + 3 * 0.8) / 4)
    assert (over_slices["low"], over_slices["high"]) == pytest.approx((0.4, 0.8))  # A alone, or B alone, is drawn
    assert summary["slices"] == 4


def test_tables_tell_what_is_not_there_with_a_dash(rows: pd.DataFrame) -> None:
    summary = summarise_cohort(rows)
    table = region_table(summary).set_index(["measure", "region"])
    assert table.loc[("Dice", "WT"), "mean"] == "0.700"
    assert table.loc[("HD95 (pooled) in mm", "WT"), "mean"] == DASH
    published = soft_dice_table(summary).set_index("class")["published (slices of a patient on both sides)"]
    assert (published["NCR"], published["ET"]) == ("0.8728", "0.8942")
    assert published["mean of the three"] == "0.8986 (its three classes average 0.8648)"
    assert sum(map(float, published[["NCR", "ED", "ET"]])) / 3 == pytest.approx(0.8648, abs=1e-4)


def test_empty_regions_are_counted(rows: pd.DataFrame) -> None:
    four = pd.concat([rows, rows], ignore_index=True)
    four["subject"] = list("ABCD")
    four["true_ml_ET"], four["predicted_ml_ET"] = [0.0, 0.0, 3.0, 3.0], [0.0, 1.0, 0.0, 2.0]
    summary = summarise_cohort(four)
    assert summary["regions"]["ET"]["empty"] == {"truth alone": 1, "prediction alone": 1, "both": 1}
    assert set(summary["regions"]["WT"]["empty"].values()) == {0}, "of single slices nothing is known"
    table = empty_table(summary).set_index("region")
    assert table.loc["ET", ["empty in truth alone", "empty in prediction alone", "empty in both"]].tolist() == ["1"] * 3


def test_what_an_earlier_version_did_not_measure_is_left_out(rows: pd.DataFrame) -> None:
    regions = summarise_cohort(rows.drop(columns=[name for name in rows if name.startswith("nsd_")]))["regions"]
    assert "nsd" not in regions["WT"]
    assert regions["WT"]["dice"]["mean"] == pytest.approx(0.7)


def test_a_page_shows_the_regions_of_each_patient_from_the_best_on(rows: pd.DataFrame) -> None:
    table = patient_table(rows.assign(fold=[0, 1]))
    assert table["subject"].tolist() == ["B", "A"]
    assert list(table)[:4] == ["subject", "fold", "dice_WT", "dice_TC"]
    assert not [name for name in table if name.startswith("soft_dice") or name == "slices"]


def test_an_interval_is_written_out() -> None:
    assert interval({"low": 0.5, "high": 0.75}, 2) == "0.50 to 0.75"


def test_scans_of_a_patient_are_averaged_before_patients_are() -> None:
    measured = {measure.name: [0.0, 10.0, 2.0] for measure in REGION_MEASURES} | {"dice": [1.0, 0.0, 0.2]}
    columns = {f"{measure}_{region}": values for measure, values in measured.items() for region in ("WT", "TC", "ET")}
    columns |= {f"soft_dice_{name}": [1.0, 0.0, 0.2] for name in ("NCR", "ED", "ET")}
    columns |= {f"{kind}_ml_{region}": [5.0] * 3 for kind in ("true", "predicted") for region in ("WT", "TC", "ET")}
    rows = pd.DataFrame({"subject": ["A", "A", "B"], "scan": ["A-0", "A-1", "B-0"], "slices": [1, 3, 4], **columns})
    summary = summarise_cohort(rows)
    assert (summary["patients"], summary["scans"], summary["slices"]) == (2, 3, 8)
    assert summary["mean_dice"]["mean"] == pytest.approx((0.5 + 0.2) / 2)
    assert (summary["mean_dice"]["n"], summary["regions"]["ET"]["hd95"]["mean"]) == (2, pytest.approx(3.5))
    # over slices every slice counts as before
    assert summary["soft_dice_over_slices"]["ED"]["mean"] == pytest.approx((1 * 1 + 3 * 0 + 4 * 0.2) / 8)
    assert "scans" not in summarise_cohort(rows.drop(columns="scan"))
