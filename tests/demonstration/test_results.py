from __future__ import annotations

import json
from pathlib import Path

from common.demonstration.results import INDEX, closing
from common.demonstration.settings import TUNED

GRADE, TUMOUR = "glioma_grade_classification", "brain_tumor_classification"


def test_the_end_tells_what_the_rule_of_the_phantoms_allows(tmp_path: Path) -> None:
    found = {"mean": 0.71, "low": 0.62, "high": 0.8}
    tasks = {GRADE: "grade", TUMOUR: "tumour"}
    tells = {name: {"target": task, "measures": {"auc": found}} for name, task in tasks.items()}
    metrics = {
        **tells,
        "glioma_segmentation": {"mean_dice": found},
        "mgmt_classification": {
            "target": "mgmt",
            "subgroup": {},
            "measures": {"auc": {"mean": 0.44, "low": 0.2, "high": 0.7}},
        },
        "glioma_spatiospatial_classification": {
            "target": "volume_grade",
            "measures": {"auc": {"mean": 0.98, "low": 0.9, "high": 1.0}},
            "subgroup": {"measures": {"auc": found}},
        },
        "glioma_survival_classification": {"target": "survival", "survival": {"measures": {"concordance": found}}},
    }
    for bundle, content in metrics.items():
        (tmp_path / bundle / "eval").mkdir(parents=True)
        (tmp_path / bundle / "eval" / "metrics.json").write_text(json.dumps(content))
    picture = tmp_path / "glioma_segmentation" / "predictions" / "p <1>" / "a.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    told = closing(tmp_path, list(TUNED), 120)
    page = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert told.splitlines()[-1].endswith(str(tmp_path / INDEX))
    assert all(f'href="{job.bundle}/eval/report.html"' in page for job in TUNED)
    assert 'src="glioma_segmentation/predictions/p &lt;1&gt;/a.png"' in page
    assert "2.0 minutes" in told
    assert "AUC 0.71 (0.62 to 0.80); the whole tumour allows 1" in told
    assert told.count("the whole tumour allows 1") == 2
    assert "AUC 0.44 (0.20 to 0.70); the labels are random" in told
    assert (
        "AUC 0.98 (0.90 to 1.00), but healthy can be recognised by the scanner; LGG against HGG alone: AUC 0.71" in told
    )
    assert "concordance index (Harrell) 0.71 (0.62 to 0.80); mask and age allow 0.74" in told
