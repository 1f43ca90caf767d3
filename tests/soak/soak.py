"""Lives of the bundles with mishaps at random moments: each must end as if nothing had happened."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.children import PHASES, Child, Moment, survivors
from tests.soak.findings import (
    broken_entries,
    broken_package,
    half_files,
    hashes_of,
    impolite,
    left_behind,
    results_of,
    untold,
)
from tests.soak.lives import COMMANDS, INFERRING, TRAINING, Life, copy_bundle
from tests.soak.mishaps import FORBIDDEN, FULL, KILLS, Disk, strike

GRACE = 10.0
"""Seconds within which what a killed run started has ended too."""

Plan = Sequence[tuple[str, str]]
"""Phases and what happens in them, in the order of a life."""


@dataclass
class Unbroken:
    """What a life without mishaps leaves.

    Args:
        moments: how many each phase had.
        results: hashes of all that must be equal.
        cache: hashes of the prepared cases.
    """

    moments: dict[str, int]
    results: dict[str, str]
    cache: dict[str, str]


@dataclass
class Outcome:
    """What happened in a life.

    Args:
        mishaps: phase, number of the moment, and what happened there.
        faults: what went wrong.
        seconds: it took.
    """

    mishaps: list[tuple[str, int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """How many of the mishaps were kills."""
        return sum(kind in KILLS for _, _, kind in self.mishaps)


def draw_plan(bundle: int, number: int, draw: random.Random) -> Plan:
    """Something in every phase: in two of three lives a kill, else a full disk or read-only folders in turn."""
    phases = [phase for name in COMMANDS for phase in PHASES[name]]
    other = FULL if (bundle + number // 3) % 2 else FORBIDDEN, FORBIDDEN if (bundle + number // 3) % 2 else FULL
    return [
        (phase, draw.choice(KILLS) if (place + number) % 3 < 2 else other[place % 2])
        for place, phase in enumerate(phases)
    ]


def live_unbroken(life: Life, work: Path, cohorts: Path) -> Unbroken:
    """A life without mishaps."""
    with new_disk(work) as disk:
        copy_bundle(life, disk.folder)
        moments: Counter[str] = Counter()
        for name in COMMANDS:
            child = Child(name, life.command(name, disk.folder, cohorts, False), disk.folder, work / f"{name}.log")
            if child.wait():
                raise RuntimeError(f"{life.bundle}: {name} fails without any mishap\n{child.said()}")
            moments += child.counted()
        return Unbroken(dict(moments), results_of(disk.folder, life), hashes_of(disk.folder / "cache"))


class BrokenLife:
    """A life with mishaps.

    Args:
        life: of which bundle.
        unbroken: what it must end with.
        work: for its disk and its logs.
        cohorts: the phantoms.
        draw: random numbers.
    """

    def __init__(self, life: Life, unbroken: Unbroken, work: Path, cohorts: Path, draw: random.Random) -> None:
        self.life, self.unbroken, self.work, self.cohorts, self.draw = life, unbroken, work, cohorts, draw
        self.outcome = Outcome()
        self.runs = 0

    def live(self, plan: Plan) -> Outcome:
        """Go through all commands; each is given again until it has ended well."""
        begun = time.monotonic()
        with new_disk(self.work) as self.disk:
            self.home = self.disk.folder
            copy_bundle(self.life, self.home)
            if all(self._carry_out(name, [step for step in plan if step[0] in PHASES[name]]) for name in COMMANDS):
                self._compare()
        self.outcome.seconds = round(time.monotonic() - begun, 1)
        return self.outcome

    def _carry_out(self, name: str, plan: Plan) -> bool:
        for place, (phase, mishap) in enumerate(plan, start=1):
            early = math.ceil(self.unbroken.moments.get(phase, 1) * place / len(plan))  # leaves some for those to come
            self._suffer(name, Moment(phase, self.draw.randrange(early)), mishap)
        child = self._start(name, None)
        if code := child.wait():
            self._report(f"{name} is not taken up again: {code}", child)
        else:
            self._look(f"{name} ended well", child)
        return not code

    def _suffer(self, name: str, moment: Moment, mishap: str) -> None:
        """Run a command until a mishap ends it; where its moment does not come, the run just ends."""
        child = self._start(name, moment)
        if not child.halted():
            if child.code:
                self._report(f"{name} is not taken up again: {child.code}", child)
            return
        code = strike(mishap, child, self.disk, self.draw)
        if code == 0:
            return  # nothing was left to do
        told = f"{mishap} in {phase_of(moment)}"
        if code is None:
            self._report(f"{told}: it has not ended", child)
            child.kill_all()
        self.outcome.mishaps.append((moment.phase, moment.number, mishap))
        faults = untold(child.said(), code) if mishap in (FULL, FORBIDDEN) else ()
        for fault in impolite(child.said()) if mishap == "SIGINT" else faults:
            self._report(f"{told}: {fault}", child)
        self._look(told, child)

    def _start(self, name: str, halt: Moment | None) -> Child:
        self.runs += 1
        command = self.life.command(name, self.home, self.cohorts, resume=name in (TRAINING, INFERRING))
        return Child(name, command, self.home, self.work / f"{self.runs:02d}-{name}.log", halt)

    def _look(self, told: str, child: Child) -> None:
        for fault in (
            *(f"a process outlived its parent: {left}" for left in survivors(GRACE)),
            *half_files(self.home),
            *broken_entries(self.home / "cache", self.unbroken.cache),
            *broken_package(self.home, self.life),
        ):
            self._report(f"{told}: {fault}", child)

    def _compare(self) -> None:
        found = results_of(self.home, self.life)
        for name in sorted({*found, *self.unbroken.results}):
            if found.get(name) != self.unbroken.results.get(name):
                self.outcome.faults.append(f"{name} differs from that of an unbroken life")
        self.outcome.faults += left_behind(self.home)

    def _report(self, fault: str, child: Child) -> None:
        self.outcome.faults.append(f"{fault} ({child.log})")


def phase_of(moment: Moment) -> str:
    """In words."""
    return f"{moment.phase}, moment {moment.number}"


@contextmanager
def new_disk(work: Path) -> Iterator[Disk]:
    """A disk in a new folder, whose logs stay."""
    disk = Disk(work / "disk")
    try:
        yield disk
    finally:
        disk.remove()
