"""The measures of a segmentation: one row per patient, and the summary of the cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from common.metrics import summarise
from common.metrics.brats_measures import REGION_MEASURES, judge_regions
from common.metrics.dice import CAVITY, REGIONS, regions_of, soft_dice, to_regions
from common.metrics.intervals.bootstrap import Summary, divide, measure_drawn, summarise_draws
from common.records import CAVITY_CLASS, MASK_CLASSES
from common.reports.page import DASH
from common.tasks.segmentation import AVERAGE_OF_PRINTED, OF_THREE, SOFT_DICE, WITH_BACKGROUND
from common.transforms.brain.components import NONE, ComponentRule
from common.transforms.cases import MILLILITRE

BACKGROUND = "background"


def judge_volume(
    logits: torch.Tensor,
    label: torch.Tensor,
    spacing: Sequence[float],
    whole: bool,
    rule: ComponentRule = NONE,
) -> dict[str, float]:
    """The row of one patient.

    Args:
        logits: (classes, x, y, z), or the stack of the patient's slices on the side that is judged.
        label: class indices (1, x, y, z), or soft masks (classes, x, y, z).
        spacing: of the voxels in mm.
        whole: all slices of the brain are there; otherwise distances and volumes are undefined, and NaN.
        rule: for small parts of a whole volume. The soft Dice is that of the network's output.

    Returns:
        ``dice_WT``, ``hd95_WT`` (mm), … of the regions; ``soft_dice_NCR``, … averaged over the slices, P3's measure,
        and that of the background; ``true_ml_WT``, ``predicted_ml_WT``, …; ``slices``. Five classes add ``RC``, the
        resection cavity.
    """
    predicted, true = predicted_classes(logits, spacing, whole, rule), _true_classes(label)
    by_slice = soft_dice(logits.movedim(-1, 0).float(), label.movedim(-1, 0).float(), background=True)
    names = (BACKGROUND, *MASK_CLASSES, CAVITY_CLASS)[: len(logits)]
    return {
        "slices": float(true.shape[-1]),
        **_region_measures(predicted, true, spacing, whole, len(logits)),
        **{f"soft_dice_{name}": float(mean) for name, mean in zip(names, by_slice.mean(dim=0), strict=True)},
        **_millilitres(predicted, true, spacing, whole, len(logits)),
    }


def judge_rule(
    logits: torch.Tensor, label: torch.Tensor, spacing: Sequence[float], whole: bool, rule: ComponentRule
) -> dict[str, float]:
    """What of :func:`judge_volume` depends on the rule for small parts: all but the slices and the soft Dice."""
    predicted, true = predicted_classes(logits, spacing, whole, rule), _true_classes(label)
    measures = _region_measures(predicted, true, spacing, whole, len(logits))
    return measures | _millilitres(predicted, true, spacing, whole, len(logits))


def _true_classes(label: torch.Tensor) -> torch.Tensor:
    return label[0] if label.shape[0] == 1 else label.argmax(dim=0)


def _region_measures(
    predicted: torch.Tensor, true: torch.Tensor, spacing: Sequence[float], whole: bool, classes: int
) -> dict[str, float]:
    return {
        f"{name}_{region}": value
        for region, measured in judge_regions(predicted, true, spacing, classes, whole).items()
        for name, value in measured.items()
    }


def _millilitres(
    predicted: torch.Tensor, true: torch.Tensor, spacing: Sequence[float], whole: bool, classes: int
) -> dict[str, float]:
    voxel, regions = float(np.prod(spacing)) / MILLILITRE, regions_of(classes)
    return {
        f"{kind}_ml_{region}": float(mask.sum()) * voxel if whole else float("nan")
        for kind, found in (("true", true), ("predicted", predicted))
        for region, mask in zip(regions, to_regions(found, regions=regions), strict=True)
    }


def predicted_classes(logits: torch.Tensor, spacing: Sequence[float], whole: bool, rule: ComponentRule) -> torch.Tensor:
    """The most probable class of each voxel, (x, y, z), with the rule applied if the volume is whole.

    Args:
        logits: (classes, x, y, z).
        spacing: of the voxels in mm.
        whole: all slices of the brain are there.
        rule: for small parts.
    """
    classes = logits.argmax(dim=0)
    if not whole or rule == NONE:
        return classes
    return torch.from_numpy(rule.apply(classes.cpu().numpy(), float(np.prod(spacing)))).to(classes.device)


def rule_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """What each rule for small parts gives, as a table of text.

    Returns:
        One row per rule: the means of each measure over patients.
    """
    rows = []
    for name, found in summary["component_rules"].items():
        row = {"rule": f"{name} (used)" if name == summary["component_rule"] else name}
        for measure in REGION_MEASURES:
            for region, measures in found["regions"].items():
                value = measures[measure.name]["mean"]
                row[f"{measure.heading()}, {region}"] = _number(value, measure.digits)
        rows.append(row)
    return pd.DataFrame(rows)


def summarise_cohort(rows: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """Mean with a 95 % interval over patients, and median, of everything that was measured.

    A patient's scans are averaged first: they are not independent. The mean Dice is of WT, TC and ET, the mean soft
    Dice of NCR, ED and ET, so that they can be compared whatever became of a resection cavity.

    Args:
        rows: one of :func:`judge_volume` per patient, or per scan where there is a column ``scan``.
        seed: of the bootstrap.

    Returns:
        Plain values for ``metrics.json``: counts, and a summary of each measure, by region or class.
    """
    patients = _by_patient(rows)
    soft, by_slice = _soft_dice_columns(patients), _soft_dice_columns(rows)
    return {
        "patients": len(patients),
        **({"scans": len(rows)} if "scan" in rows else {}),
        "regions": summarise_regions(rows, seed),
        "mean_dice": summarise(patients[[f"dice_{region}" for region in REGIONS]].mean(axis=1), seed),
        "soft_dice": {name: summarise(values, seed) for name, values in soft.items()},
        "soft_dice_over_slices": {name: _over_slices(rows, values, seed) for name, values in by_slice.items()},
        "slices": int(rows["slices"].sum()),
    }


def _soft_dice_columns(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The soft Dice of each class that was judged, and their means."""
    names = [name for name in (*MASK_CLASSES, CAVITY_CLASS, BACKGROUND) if f"soft_dice_{name}" in rows]
    found = {name: rows[f"soft_dice_{name}"] for name in names}
    means = {OF_THREE: MASK_CLASSES, WITH_BACKGROUND: (BACKGROUND, *MASK_CLASSES)}
    return found | {
        title: pd.concat([found[name] for name in parts], axis=1).mean(axis=1)
        for title, parts in means.items()
        if set(parts) <= set(found)
    }


def _over_slices(rows: pd.DataFrame, values: pd.Series, seed: int) -> Summary:
    """The mean in which every slice counts once, as P3's, with its interval over patients."""
    slices, sums = rows["slices"].to_numpy(dtype=float), (values * rows["slices"]).to_numpy(dtype=float)
    drawn = measure_drawn(lambda counts: {"mean": divide(counts @ sums, counts @ slices)}, rows["subject"], seed)
    return summarise_draws(float(sums.sum() / slices.sum()), drawn["mean"], rows["subject"].nunique())


def summarise_regions(rows: pd.DataFrame, seed: int = 0) -> dict[str, dict[str, Any]]:
    """The part of :func:`summarise_cohort` on BraTS's regions.

    Args:
        rows: one of :func:`judge_rule` per patient, or per scan where there is a column ``scan``.
        seed: of the bootstrap.

    Returns:
        By region a summary of each measure, and in how many volumes it is ``empty``.
    """
    patients = _by_patient(rows)
    return {
        region: {
            **{
                measure.name: summarise(patients[f"{measure.name}_{region}"], seed)
                for measure in REGION_MEASURES
                if f"{measure.name}_{region}" in patients  # folds of an earlier version have fewer
            },
            "empty": _count_empty(rows, region),
        }
        for region in regions_in(rows)
    }


def _by_patient(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby("subject").mean(numeric_only=True) if "scan" in rows else rows


def _count_empty(rows: pd.DataFrame, region: str) -> dict[str, int]:
    """In how many whole volumes a region is empty: there the measures follow a rule, not the voxels."""
    true, predicted = rows[f"true_ml_{region}"] == 0, rows[f"predicted_ml_{region}"] == 0
    return {
        "truth alone": int((true & ~predicted).sum()),
        "prediction alone": int((predicted & ~true).sum()),
        "both": int((true & predicted).sum()),
    }


def regions_in(rows: pd.DataFrame) -> list[str]:
    """The regions that were judged."""
    return [region for region in REGIONS | CAVITY if f"dice_{region}" in rows]


def region_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """The measures of the regions as a table of text.

    Returns:
        One row per measure and region.
    """
    rows = [
        {
            "measure": measure.heading(),
            "region": region,
            "mean": _number(measures[measure.name]["mean"], measure.digits),
            "95 % interval": interval(measures[measure.name], measure.digits),
            "median": _number(measures[measure.name]["median"], measure.digits),
        }
        for measure in REGION_MEASURES
        for region, measures in summary["regions"].items()
    ]
    return pd.DataFrame(rows)


def empty_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """In how many whole volumes a region is empty: one row per region."""
    return pd.DataFrame(
        [
            {"region": region, **{f"empty in {where}": str(count) for where, count in measures["empty"].items()}}
            for region, measures in summary["regions"].items()
        ]
    )


def patient_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What a page shows of each patient or scan, from the best to the worst.

    Args:
        rows: of :func:`judge_volume`, with ``subject`` and perhaps ``scan`` and ``fold``.
    """
    measures = [f"{measure.name}_{region}" for measure in REGION_MEASURES for region in regions_in(rows)]
    shown = ["subject", "scan", "fold", *measures, "true_ml_WT", "predicted_ml_WT"]
    return rows[[name for name in shown if name in rows]].sort_values("dice_WT", ascending=False)


def soft_dice_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """P3's measure beside what P3 printed.

    Returns:
        One row per class, and one for each of their means.
    """
    printed = {name: f"{value:.4f}" for name, value in SOFT_DICE.items()}
    printed[OF_THREE] += f" (its three classes average {AVERAGE_OF_PRINTED:.4f})"
    rows = [
        {
            "class": name,
            "soft Dice, mean over patients": f"{values['mean']:.3f}",
            "95 % interval": interval(values, 3),
            "every slice counted": f"{summary['soft_dice_over_slices'][name]['mean']:.3f}",
            "published (slices of a patient on both sides)": printed.get(name, DASH),
        }
        for name, values in summary["soft_dice"].items()
    ]
    return pd.DataFrame(rows)


def interval(values: Mapping[str, float], digits: int) -> str:
    """``0.81 to 0.90``, or a dash where there is none."""
    if np.isnan(values["low"]):
        return DASH
    return f"{values['low']:.{digits}f} to {values['high']:.{digits}f}"


def _number(value: float, digits: int) -> str:
    return DASH if np.isnan(value) else f"{value:.{digits}f}"
