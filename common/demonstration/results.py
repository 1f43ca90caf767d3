"""What the demo says at its end, and the page that links all results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.demonstration.jobs import Job
from common.reports.key_result import key_result, tell_result
from common.reports.page import render_page

INDEX = "index.html"


def closing(folder: Path, jobs: list[Job], seconds: float) -> str:
    """The last lines: what was reached, what the phantoms' rule allows, and the page that links all results.

    Args:
        folder: of the demo, in which the page is written.
        jobs: that were run.
        seconds: that they took.
    """
    results = [describe_job(job, folder) for job in jobs]
    render_page(folder / INDEX, "demo", results=results)
    return "\n".join(
        [
            f"\n=== Done in {seconds / 60:.1f} minutes. The numbers are a phantom's, not a patient's.",
            *(f"{result['bundle']}: {result['told']}" for result in results),
            f"\nAll results on one page: {folder / INDEX}",
        ]
    )


def describe_job(job: Job, folder: Path) -> dict[str, str]:
    """What the page says of a job, with links that hold wherever the folder is moved."""
    run = folder / job.bundle
    metrics = json.loads((run / "eval" / "metrics.json").read_text(encoding="utf-8"))
    picture = next(iter(sorted((run / "predictions").rglob("*.png"))), None)
    return {
        "bundle": job.bundle,
        "told": describe_result(job, metrics),
        "report": f"{job.bundle}/eval/report.html",
        "predictions": f"{job.bundle}/predictions/",
        "picture": picture.relative_to(folder).as_posix() if picture else "",
    }


def describe_result(job: Job, metrics: Mapping[str, Any]) -> str:
    """The key measure of an evaluation beside the best value that the rule of the phantoms allows."""
    result = tell_result(*key_result(metrics))
    if metrics.get("subgroup"):
        grades = tell_result("AUC", metrics["subgroup"]["measures"]["auc"])
        return f"{result}, but healthy can be recognised by the scanner; LGG against HGG alone: {grades}"
    return "; ".join(filter(None, (result, job.allowed())))
