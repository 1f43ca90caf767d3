from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.metrics.measures import title_of
from common.tasks.nouns import PATIENTS
from common.tasks.registry import asked_by, find_task, nouns_of, task_of, tasks
from common.tasks.task import Task

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
every_task = pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)


def test_every_bundle_has_a_task_and_every_task_a_bundle() -> None:
    folders = {path.parents[1].name for path in ROOT.glob("bundles/*/configs/metadata.json")}
    assert {task.bundle for task in tasks()} == folders
    assert len({task.name for task in tasks()}) == len(tasks())


@every_task
def test_a_task_says_what_a_person_must_know(task: Task) -> None:
    """An evaluation names its task, and the printed numbers are of its classes."""
    evaluate = (ROOT / "bundles" / task.bundle / "configs" / "evaluate.yaml").read_text(encoding="utf-8")
    assert re.search(rf"^  task: {task.name}$", evaluate, re.MULTILINE)
    train = (ROOT / "bundles" / task.bundle / "configs" / "train.yaml").read_text(encoding="utf-8")
    assert re.findall(r"kind='(\w+)'", train) == ([] if task.cohort == "volumes" else [task.cohort])
    assert " → " in task.question and task.prose
    assert set(task.papers) <= set(re.findall(r"^- \*\*(P\d)\*\*", README, re.MULTILINE))
    for paper in task.published:
        assert set(paper.per_class) <= set(task.classes)
        assert all(0 < value <= 1 for value in paper.measures.values())
    assert title_of(task.key_measure) != task.key_measure


def test_a_task_that_nobody_knows_has_plain_words_and_no_printed_numbers() -> None:
    unknown = find_task("IDH status")
    assert (unknown.name, unknown.label, unknown.asked, unknown.title) == (
        "IDH status",
        "label",
        "the class",
        "Classification",
    )
    assert (unknown.published, unknown.reading, unknown.apart) == ((), "", "")
    assert unknown.nouns_under("paper") == PATIENTS
    assert asked_by("IDH status") == "IDH status"


def test_a_summary_tells_its_task_and_its_nouns() -> None:
    assert task_of({"target": "mgmt"}).bundle == "mgmt_classification"
    assert task_of({}).name == "segmentation"
    subjects = {
        protocol: nouns_of({"target": "tumour", "protocol": protocol}).subjects for protocol in ("patient", "paper")
    }
    assert subjects == {"patient": "groups of copies", "paper": "images"}
    assert nouns_of({"target": "grade"}).subjects == "patients"


@pytest.mark.parametrize(
    ("label", "told"),
    [("mgmt", "the MGMT status"), ("MGMT status", "the MGMT status"), ("label", "the class"), ("class", "the class")],
)
def test_a_label_in_words(label: str, told: str) -> None:
    assert asked_by(label) == told


def test_of_several_networks_of_a_paper_those_with_the_backbone_are_told() -> None:
    task = find_task("volume_grade")
    assert [paper.source for paper in task.published_of("mc3_18")] == [
        "P4, MC3 (tables 2 to 5)",
        "P4, MC3, pre-trained (tables 2 to 5)",
    ]
    assert len(task.published_of()) == 6
    assert len(find_task("survival").published_of("resnet50")) == 3
