"""The page of measured ratios says what was measured, and says it when a target is missed. No time is judged here."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from benchmarks import run
from benchmarks.memory import STATUS
from benchmarks.table import replace_copies_section, replace_gpu_section, verdict, write_page, write_table
from benchmarks.timing import Ratio, alternate

KEPT = Ratio("kept", ours=2.2, bare=2.0, limit=1.15)
BROKEN = Ratio("broken", ours=1500, bare=1000, limit=1.1, unit="MB")


def test_table_has_a_row_for_each_ratio() -> None:
    rows = write_table([KEPT, BROKEN]).splitlines()[2:]
    assert rows == [
        "| kept | 2.20 s | 2.00 s | **1.10** | 1.15 | met |",
        "| broken | 1500 MB | 1000 MB | **1.50** | 1.10 | **missed** |",
    ]


@pytest.mark.parametrize(("ours", "met"), [(1.154, True), (1.156, False)])
def test_target_is_met_to_the_digits_shown(ours: float, met: bool) -> None:
    assert Ratio("any", ours, 1.0, 1.15).met is met


def test_verdict_names_what_is_missed() -> None:
    assert verdict([KEPT]) == "All targets are met."
    assert verdict([KEPT, BROKEN]) == "Missed: broken."


GPU = {
    "card": "Some Card",
    "torch": "2.11",
    "steps": {"U-Net, fp16": {"per_second": 1234.5, "gigabytes": 2.04}},
    "patient": {"forward passes": {"seconds": 0.0302}},
}


def test_page_has_no_gpu_section_unless_one_was_measured() -> None:
    pages = [write_page([KEPT], {"kept": "How."}, "make bench", results, {}) for results in ({}, GPU)]
    assert "GPU" not in pages[0]
    assert "one Some Card with torch 2.11" in pages[1]
    assert "| U-Net, fp16 | 1234 | 2.0 GB |" in pages[1]
    assert "| forward passes | 0.030 s |" in pages[1]
    assert all("**Kept.** How." in page and str(Path.cwd()) not in page for page in pages)


def test_the_gpu_section_of_a_page_is_replaced_and_nothing_else() -> None:
    page = write_page([KEPT], {"kept": "How."}, "make bench", {}, {})
    first = replace_gpu_section(page, GPU)
    second = replace_gpu_section(first, {**GPU, "card": "Another Card"})
    assert second == first.replace("Some Card", "Another Card")
    assert first.count("| forward passes |") == 1
    assert first.startswith(page.partition("## What is measured")[0])
    assert first.endswith(page.partition("## What is measured")[2])


def test_sections_stand_side_by_side_and_a_whole_run_keeps_them() -> None:
    copies = {
        "797 pictures": {"ours": 3.0, "bare": 1.5, "limit": 1.5},
        "3000 phantoms": {"ours": 12.0, "bare": 10.0, "limit": 1.5},
    }
    page = write_page([KEPT], {"kept": "How."}, "make bench", GPU, copies)
    assert "| 797 pictures | 3.00 s | 1.50 s | **2.00** | 1.50 | **missed** |" in page
    assert "| 3000 phantoms | 12.00 s | 10.00 s | **1.20** | 1.50 | met |" in page
    assert replace_copies_section(replace_gpu_section(page, GPU), copies).count("| 797 pictures |") == 1
    assert "| forward passes |" in replace_copies_section(page, {})
    assert "797" not in replace_copies_section(page, {})


def test_functions_are_timed_in_turn_and_the_first_round_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    clock = iter([0, 9, 9, 18, 20, 23, 30, 31, 40, 45, 50, 52])
    monkeypatch.setattr("benchmarks.timing.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    medians = alternate(lambda: calls.append("ours"), lambda: calls.append("bare"), 2, lambda: calls.append("|"))
    assert calls == ["ours", "bare", "|"] * 3
    assert medians == (4, 1.5)


def test_functions_are_timed_by_another_clock() -> None:
    clock = iter([0, 9, 9, 10, 20, 25, 25, 27])
    assert alternate(lambda: None, lambda: None, 1, lambda: None, lambda: next(clock)) == (5, 2)


def test_all_parts_stand_in_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    run.report({"epoch": [KEPT, KEPT], "memory": [BROKEN]})
    printed = capsys.readouterr().out
    assert [line.split(" | ")[0] for line in printed.splitlines()[2:5]] == ["| kept", "| kept", "| broken"]
    assert "Missed: broken." in printed


def test_a_part_that_is_measured_again_replaces_its_rows_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "FOLDER", tmp_path / "benchmarks")
    run.FOLDER.mkdir()
    run.write_down({"memory": [BROKEN], "copies": [KEPT]})
    run.write_down({"memory": [Ratio("mended", ours=1040, bare=1000, limit=1.1, unit="MB")]})
    page = (run.FOLDER / "README.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith(("| kept", "| broken", "| mended"))] == [
        f"| kept | 2.20 s | 2.00 s | **1.10** | 1.15 | met | {date.today()} |",
        f"| mended | 1040 MB | 1000 MB | **1.04** | 1.10 | met | {date.today()} |",
    ]
    assert "All targets are met." in page
    assert all(f"**{name}.**" in page for name in ("Search for copies", "Training memory"))


def test_epochs_are_measured_with_the_batches_that_the_configs_train_with() -> None:
    from benchmarks.bundle import BUNDLES
    from benchmarks.epoch import TRAININGS

    assert len(TRAININGS) == run.ROUNDS["epoch"] == run.ROUNDS["start"]
    assert {training.bundle for training in TRAININGS} == {folder.name for folder in BUNDLES.iterdir()}
    for training in TRAININGS:
        knobs = yaml.safe_load((BUNDLES / training.bundle / "configs" / f"{training.config}.yaml").read_text())
        assert knobs["batch_size"] == training.batch
        drawn = knobs.get("samples_per_epoch")  # null: every one once
        assert drawn is None or drawn > training.batch * training.steps


def test_a_network_has_two_rows_against_the_bare_one_and_two_against_the_defaults() -> None:
    from benchmarks.step_cost import StepCost
    from benchmarks.volumes import SETTINGS, compare

    costs = {"ours": [(4, 1800)], "bare": [(5, 2000)], "recomputed": [(6, 900)]}
    assert costs.keys() == SETTINGS.keys()
    measured = {setting: [StepCost(1, *cost) for cost in values] for setting, values in costs.items()}
    rows = compare("r3d_18", measured)
    assert [(row.name, row.ours, row.bare, row.unit) for row in rows] == [
        ("volume step, r3d_18", 4, 5, "s"),
        ("volume step, r3d_18", 1800, 2000, "MB"),
        ("recomputed volume step, r3d_18", 6, 4, "s"),
        ("recomputed volume step, r3d_18", 900, 1800, "MB"),
    ]


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the memory")
def test_a_step_costs_at_least_the_weights_their_gradients_and_adams_moments() -> None:
    from benchmarks.step_cost import measure_step

    cost = measure_step({"backbone": "r3d_10", "in_channels": 2}, size=(16, 16, 16), steps=1, threads=1)
    fewer_blocks = sum(2 * width**2 * 27 + 4 * width for width in (64, 128, 256, 512))
    assert cost.parameters == 33_148_995 + 64 * 3 * 7 * 7 - fewer_blocks
    assert cost.seconds > 0
    assert cost.megabytes > 4 * 4 * cost.parameters / 1e6
