from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.cohorts.datasets.registry import data_sets
from common.errors import KnobError
from common.reports.registry_tables import data_set_table, task_table, update_metadata, update_tables
from common.tasks.registry import tasks


def metadata_of(root: Path, bundle: str) -> Path:
    path = root / bundle / "configs" / "metadata.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": "0.1.0", "task": "old", "supported_apps": {}}), encoding="utf-8")
    return path


def test_prose_comes_from_the_task_and_the_rest_stays(tmp_path: Path) -> None:
    path = metadata_of(tmp_path, "mgmt_classification")
    before = path.read_text(encoding="utf-8")
    assert update_metadata(path, check=True)
    assert path.read_text(encoding="utf-8") == before
    assert update_metadata(path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["data_source"] == "RSNA-MICCAI 2021, as downloaded; or a list of your own series"
    assert list(found)[:3] == ["version", "task", "supported_apps"]
    assert found["task"].startswith("MGMT promoter methylation of glioblastoma")
    assert "Kaymak" in found["references"][0]
    assert not update_metadata(path)


def test_a_bundle_without_a_task_keeps_its_prose(tmp_path: Path) -> None:
    path = metadata_of(tmp_path, "my_classification")
    update_metadata(path)
    assert json.loads(path.read_text(encoding="utf-8"))["task"] == "old"


def test_the_table_of_tasks_has_a_row_per_bundle(tmp_path: Path) -> None:
    _, _, *rows = task_table().splitlines()
    assert [row.split("`")[1] for row in rows] == sorted(task.bundle for task in tasks())
    assert "| three slices → low or high grade | AUC | P1 |" in rows[1]
    readme = tmp_path / "README.md"
    readme.write_text("<!-- table:tasks -->\nold\n<!-- /table -->\nkept\n", encoding="utf-8")
    assert update_tables(readme)
    assert readme.read_text(encoding="utf-8") == f"<!-- table:tasks -->\n{task_table()}\n<!-- /table -->\nkept\n"
    assert not update_tables(readme)


def test_the_table_of_data_sets_has_a_row_for_each_that_is_read() -> None:
    _, _, *rows = data_set_table().splitlines()
    titles = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    assert titles == sorted(data_set.title for data_set in data_sets() if not data_set.refused)
    ixi = rows[titles.index("IXI")]
    assert "`glioma_spatiospatial_classification`" in ixi
    assert ixi.endswith("| CC BY-SA 3.0 |")


def test_every_task_of_a_data_set_is_one() -> None:
    named = {name for data_set in data_sets() for name in data_set.tasks}
    assert named == {task.name for task in tasks()}


def test_a_bundle_names_every_data_set_that_it_reads(tmp_path: Path) -> None:
    for task in tasks():
        path = metadata_of(tmp_path, task.bundle)
        update_metadata(path)
        sources, _, _ = json.loads(path.read_text(encoding="utf-8"))["data_source"].partition(", as downloaded; or a")
        assert sources.split("; ") == sorted(found.title for found in data_sets() if task.name in found.tasks)


def test_a_readme_without_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no table", encoding="utf-8")
    with pytest.raises(KnobError, match="its marks for table are missing"):
        update_tables(tmp_path / "README.md")
