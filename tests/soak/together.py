"""Several processes at once: in one folder the second is refused, and in folders of their own they do not mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.soak.children import Child
from tests.soak.findings import TRACEBACK, hashes_of, left_behind, metrics_of, results_of
from tests.soak.lives import EVALUATING, TRAINING, Life, copy_bundle
from tests.soak.soak import Unbroken, new_disk

REFUSED = "another process is writing here"


def live_together(life: Life, unbroken: Unbroken, work: Path, cohorts: Path, many: int) -> Iterator[str]:
    """What goes wrong when one bundle is trained by three processes at once, and judged by two and by many."""
    with new_disk(work) as disk:
        home = disk.folder
        copy_bundle(life, home)

        def run(name: str, number: int, more: Mapping[str, Any]) -> Child:
            return Child(name, life.command(name, home, cohorts, **more), home, work / f"{name}-{number}.log")

        own = {"output_dir": str(home / "other" / "eval"), "weights": str(home / "other" / "models" / "model.pt")}
        trainings = [run(TRAINING, number, more) for number, more in enumerate(({}, {}, own))]
        yield from _one_of(trainings[:2], "trainings in one folder", home)
        yield from () if trainings[2].wait() == 0 else ("a training with the same cache did not end well",)
        if hashes_of(home / "cache") != unbroken.cache:
            yield "the cache is another than that of one training"
        weights = [home / folder / "models" / "model.pt" for folder in ("other", life.bundle)]
        if weights[0].read_bytes() != weights[1].read_bytes():
            yield "two trainings with one cache are not equal"

        judged = [run(EVALUATING, number, {}) for number in range(2)]
        yield from _one_of(judged, "evaluations in one folder", home)
        found, expected = results_of(home, life), unbroken.results
        yield from (f"{name} is mixed" for name in found if found[name] != expected.get(name))

        folders = [home / "judged" / str(number) for number in range(many)]
        judged = [run(EVALUATING, 10 + number, {"output_dir": str(folder)}) for number, folder in enumerate(folders)]
        if sum(child.wait() != 0 for child in judged):
            yield f"of {many} evaluations of one checkpoint some did not end well"
        metrics = metrics_of(home / life.bundle / "eval" / "metrics.json")
        for folder in folders:
            if metrics_of(folder / "metrics.json") != metrics:
                yield f"evaluation {folder.name} of {many} has other metrics"
        yield from left_behind(home)


def _one_of(children: list[Child], what: str, home: Path) -> Iterator[str]:
    """One must end well; the others must be refused, and name the folder."""
    codes = sorted(str(child.wait()) for child in children)
    if codes != ["0", *["1"] * (len(children) - 1)]:
        yield f"{what} ended with {codes}"
    for child in children:
        said = child.said()
        if child.code and (REFUSED not in said or str(home) not in said or TRACEBACK in said):
            yield f"{what}: the second was not told so ({child.log})"
