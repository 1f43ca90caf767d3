from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from common.errors import OutputError
from common.files import write_json
from common.reports.comparison import compare_runs, write_comparison
from common.reports.segmentation import summarise_cohort


def leave_run(folder: Path, protocol: str, dice: tuple[float, float]) -> Path:
    measures = {f"dice_{region}": dice for region in ("WT", "TC", "ET")}
    measures |= {f"hd95_{region}": (float("nan"), float("nan")) for region in ("WT", "TC", "ET")}
    measures |= {f"soft_dice_{name}": dice for name in ("NCR", "ED", "ET")}
    rows = pd.DataFrame({"subject": ["a", "b"], "slices": [10, 30], **measures})
    summary = summarise_cohort(rows)
    write_json(folder / "metrics.json", {"protocol": protocol, "side": "test", **summary})
    return folder


def test_both_protocols_stand_side_by_side_with_the_printed_numbers(tmp_path: Path) -> None:
    runs = [leave_run(tmp_path / "a", "patient", (0.5, 0.7)), leave_run(tmp_path / "b", "paper", (0.9, 0.9))]
    table = compare_runs(runs).set_index("measure")
    assert list(table.loc["protocol"]) == ["patient", "paper", "-"]
    assert table.loc["Dice WT", str(runs[0])] == "0.600 (0.500 to 0.700)"
    assert table.loc["HD95 WT in mm", str(runs[0])] == "-"
    assert table.loc["soft Dice NCR", "published"] == "0.8728"
    assert table.loc["soft Dice NCR", str(runs[1])].startswith("0.900")


@pytest.mark.parametrize(("protocols", "warned"), [(("patient", "paper"), True), (("patient", "patient"), False)])
def test_the_page_warns_of_the_published_protocol_only(
    tmp_path: Path, protocols: tuple[str, str], warned: bool
) -> None:
    runs = [leave_run(tmp_path / str(number), name, (0.5, 0.7)) for number, name in enumerate(protocols)]
    write_comparison(tmp_path / "page.html", compare_runs(runs), runs)
    assert ("memory of the patients" in (tmp_path / "page.html").read_text(encoding="utf-8")) is warned


def test_every_run_that_was_not_evaluated_is_named(tmp_path: Path) -> None:
    good = leave_run(tmp_path / "a", "patient", (0.5, 0.7))
    with pytest.raises(OutputError) as caught:
        compare_runs([good, tmp_path / "none", tmp_path / "neither"])
    assert [problem.where for problem in caught.value.problems] == [
        str(tmp_path / "none"),
        str(tmp_path / "neither"),
    ]
