"""The page of measured ratios."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence

from benchmarks.timing import THREADS, Ratio

PACKAGES = ("torch", "monai", "numpy", "nibabel", "isal")

PAGE = """# Speed, as ratios

{verdict} Written by `{command}` on {date}; each row is measured in one run, what we do and the bare work in turn, and
medians are given. The seconds are for scale alone: they change with the machine and with what else it does.

{table}

Measured on {machine}, with {versions}.
{gpu}
## What is measured

{explanations}
"""


def write_table(ratios: Sequence[Ratio]) -> str:
    """A Markdown table with a row for each ratio."""
    rows = [
        [
            ratio.name,
            _number(ratio.ours, ratio.unit),
            _number(ratio.bare, ratio.unit),
            f"**{ratio.value:.2f}**",
            f"{ratio.limit:.2f}",
            "met" if ratio.met else "**missed**",
        ]
        for ratio in ratios
    ]
    heads = ["", "ours", "bare", "ratio", "at most", ""]
    lines = [heads, ["---", "---:", "---:", "---:", "---:", "---"], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def verdict(ratios: Sequence[Ratio]) -> str:
    """One sentence: whether all targets are met, else which are missed."""
    missed = [ratio.name for ratio in ratios if not ratio.met]
    return f"Missed: {', '.join(missed)}." if missed else "All targets are met."


def write_page(
    ratios: Sequence[Ratio], explanations: Mapping[str, str], command: str, gpu_rates: Mapping[str, float]
) -> str:
    """The whole page.

    Args:
        ratios: in the order of the rows.
        explanations: by what is measured, how.
        command: that measured them.
        gpu_rates: slices or volumes per second by setting; empty where there is no GPU.
    """
    return PAGE.format(
        verdict=verdict(ratios),
        command=command,
        date=datetime.date.today().isoformat(),
        table=write_table(ratios),
        machine=describe_machine(),
        versions=", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES),
        gpu=write_gpu_rates(gpu_rates),
        explanations="\n\n".join(f"**{name.capitalize()}.** {text}" for name, text in explanations.items()),
    )


def write_gpu_rates(rates: Mapping[str, float]) -> str:
    """A section with slices and volumes per second by setting; nothing where none was measured."""
    if not rates:
        return ""
    lines = ["| training on the GPU | per second |", "| --- | ---: |"]
    return "\n".join(
        ["", *lines, *(f"| {setting} | {rate:.{0 if rate >= 100 else 1}f} |" for setting, rate in rates.items()), ""]
    )


def describe_machine() -> str:
    """A general description that does not name the machine."""
    processor = platform.machine().replace("_", "-")
    return f"{THREADS} threads of an {processor} CPU, {platform.system()}, Python {platform.python_version()}"


def _number(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"
