"""The page of measured ratios."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.timing import THREADS, Ratio

PACKAGES = ("torch", "monai", "numpy", "nibabel", "isal")

PAGE = """# Speed, as ratios

{verdict} Written by `{command}` on {date}; each row is measured in one run, what we do and the bare work in turn, and
medians are given. Bare is code of the libraries as they come, unless its paragraph below says more. The seconds are for
scale alone: they change with the machine and with what else it does.

{table}

Measured on {machine}, with {versions}.
{gpu}{copies}
## What is measured

{explanations}
"""


def write_table(ratios: Sequence[Ratio]) -> str:
    """A Markdown table with a row for each ratio."""
    dated = any(ratio.measured for ratio in ratios)
    rows = [
        [
            ratio.name,
            _number(ratio.ours, ratio.unit),
            _number(ratio.bare, ratio.unit),
            f"**{ratio.value:.2f}**",
            f"{ratio.limit:.2f}",
            "met" if ratio.met else "**missed**",
            *([ratio.measured] if dated else []),
        ]
        for ratio in ratios
    ]
    heads = ["", "ours", "bare", "ratio", "at most", "", *(["measured"] if dated else [])]
    lines = [heads, ["---", "---:", "---:", "---:", "---:", *["---"] * (len(heads) - 5)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def verdict(ratios: Sequence[Ratio]) -> str:
    """One sentence: whether all targets are met, else which are missed."""
    missed = [ratio.name for ratio in ratios if not ratio.met]
    return f"Missed: {'; '.join(missed)}." if missed else "All targets are met."


def write_page(
    ratios: Sequence[Ratio],
    explanations: Mapping[str, str],
    command: str,
    gpu_results: Mapping[str, Any],
    copies_results: Mapping[str, Mapping[str, float]],
) -> str:
    """The whole page.

    Args:
        ratios: in the order of the rows.
        explanations: by what is measured, how.
        command: that measured them.
        gpu_results: the content of ``benchmarks/gpu.json``; empty where nothing was measured on a GPU.
        copies_results: that of ``benchmarks/copies.json``.
    """
    return PAGE.format(
        verdict=verdict(ratios),
        command=command,
        date=datetime.date.today().isoformat(),
        table=write_table(ratios),
        machine=describe_machine(),
        versions=", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES),
        gpu=write_gpu_section(gpu_results),
        copies=write_copies_section(copies_results),
        explanations="\n\n".join(f"**{name.capitalize()}.** {text}" for name, text in explanations.items()),
    )


GPU_START, GPU_END = "<!-- gpu -->", "<!-- /gpu -->"
GPU_PARTS = {
    "steps": "training step on 16 slices (4x160x192) or 4 volumes (80x96x80) that are on the GPU",
    "epochs": "epoch of our trainer, warm cache, mixed precision",
    "patient": "one patient from four files to the label map",
}
UNITS = {
    "per_second": ("{:.0f}", "slices or volumes per second"),
    "first_step_s": ("{:.1f} s", "first step"),
    "gigabytes": ("{:.1f} GB", "memory"),
    "gpu_busy_percent": ("{:.0f} %", "GPU busy"),
    "seconds": ("{:.3f} s", "seconds"),
}


def write_gpu_section(results: Mapping[str, Any]) -> str:
    """What ``benchmarks/gpu.py`` measured, as a section of the page between two marks; empty where it measured nothing.

    Args:
        results: the content of ``benchmarks/gpu.json``.
    """
    if "card" not in results:
        return ""
    lines = [
        GPU_START,
        "## On a GPU",
        "",
        f"Measured by `python benchmarks/gpu.py` on one {results['card']} with torch {results['torch']}.",
    ]
    for part, title in GPU_PARTS.items():
        rows = results.get(part, {})
        names = [name for name in UNITS if any(name in row for row in rows.values())]
        if not rows:
            continue
        lines += ["", "| " + " | ".join([title, *(UNITS[name][1] for name in names)]) + " |"]
        lines += ["| --- |" + " ---: |" * len(names)]
        lines += ["| " + " | ".join([label, *_cells(row, names)]) + " |" for label, row in rows.items()]
    return "\n".join([*lines, GPU_END, ""])


def _cells(row: Mapping[str, float], names: Sequence[str]) -> list[str]:
    return [UNITS[name][0].format(row[name]) if name in row else "" for name in names]


def replace_gpu_section(page: str, results: Mapping[str, Any]) -> str:
    """The page with its section on the GPU written anew."""
    return _replace(page, (GPU_START, GPU_END), write_gpu_section(results))


COPIES_START, COPIES_END = "<!-- copies -->", "<!-- /copies -->"
COPIES_TEXT = """## Copies among more pictures

Seconds of the processor, by `python benchmarks/copies.py FOLDER ...`; what is measured stands below. Pictures are those
of Br35H, phantoms those of `scripts/make_phantoms.py br35h FOLDER --copies 19 --shape 160 160 160` with `--patients` 75
and 500. Of 6.5 times the phantoms the search takes 7.6 times as long.

The target is missed. Of the time for the real pictures reading and shrinking is a quarter, the fingerprints (smoothing,
blobs, views) another, and nearly half goes to the index, the screening and the fits. Each is a product of matrices, or
some dozen operations of NumPy on few pixels, and no single one stands out: what is left would take compiled code, or
fewer pixels, which would move the scores that the threshold rests on. Different phantoms look more alike than different
people do, so that more of them are fitted, and they are small, so that decoding them costs less. A search is made once
and kept in the cache."""


def write_copies_section(results: Mapping[str, Mapping[str, float]]) -> str:
    """What ``benchmarks/copies.py`` measured, as a section of the page; empty where it measured nothing.

    Args:
        results: ``ours``, ``bare`` (seconds) and ``limit`` (of their ratio), by how many pictures there are.
    """
    if not results:
        return ""
    ratios = [Ratio(name, row["ours"], row["bare"], row["limit"]) for name, row in results.items()]
    return "\n".join([COPIES_START, COPIES_TEXT, "", write_table(ratios), COPIES_END, ""])


def replace_copies_section(page: str, results: Mapping[str, Mapping[str, float]]) -> str:
    """The page with its section on the search for copies written anew."""
    return _replace(page, (COPIES_START, COPIES_END), write_copies_section(results))


def _replace(page: str, marks: tuple[str, str], section: str) -> str:
    """A section between two marks, before what explains the rows."""
    start, end = (page.find(mark) for mark in marks)
    if start >= 0:
        page = page[:start] + page[end + len(marks[1]) :].lstrip("\n")
    head, mark, tail = page.partition("## What is measured")
    return f"{head}{section}\n{mark}{tail}"


def describe_machine() -> str:
    """A general description that does not name the machine."""
    processor = platform.machine().replace("_", "-")
    return f"{THREADS} threads of an {processor} CPU, {platform.system()}, Python {platform.python_version()}"


def _number(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"
