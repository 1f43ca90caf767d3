"""What a person judges copies by."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from common.copies.groups import CopyPair, CopyReport
from common.reports.copy_pictures import draw_contact_sheet, draw_threshold_curve, find_doubtful_pairs

PAIRS = [
    CopyPair("a", "b", 0.95, "flipped"),
    CopyPair("b", "c", 0.9, "rotated 90°"),
    CopyPair("a", "c", 0.83, "cropped"),
    CopyPair("c", "d", 0.7, "cropped"),
    CopyPair("b", "d", 0.65, "cropped"),
]


def make_report(folder: Path, names: str = "abcd") -> CopyReport:
    for name in names:
        Image.new("L", (40, 50), ord(name)).save(folder / f"{name}.png")
    return CopyReport({name: str(folder / f"{name}.png") for name in names}, PAIRS, threshold=0.8)


def test_a_pair_that_surer_ones_join_is_not_doubtful(tmp_path: Path) -> None:
    kept, refused = find_doubtful_pairs(make_report(tmp_path), 8)
    assert kept == [PAIRS[1], PAIRS[0]]
    assert refused == [PAIRS[3]]


def test_pictures_are_written(drawn: None, tmp_path: Path) -> None:
    report = make_report(tmp_path)
    draw_contact_sheet(report, tmp_path / "sheet.png")
    draw_threshold_curve(report, tmp_path / "curve.png")
    sheet, curve = (Image.open(tmp_path / f"{name}.png") for name in ("sheet", "curve"))
    assert min(sheet.size) > 400
    assert sheet.height > Image.open(_one_group(report, tmp_path)).height, "pairs stand below the groups"
    assert len(set(curve.convert("RGB").getdata())) > 50


def test_a_cohort_without_copies_has_a_sheet_too(tmp_path: Path) -> None:
    report = make_report(tmp_path)
    draw_contact_sheet(CopyReport(report.images, [], 0.8), tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 0


def _one_group(report: CopyReport, folder: Path) -> Path:
    draw_contact_sheet(report, folder / "group.png", groups=1, pairs=0)
    return folder / "group.png"
