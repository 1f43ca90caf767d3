"""Mishaps at random moments of all bundles' lives; resumable. ``make soak``, or ``python -m tests.soak --help``."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.soak.mishaps import KILLS, MISHAPS, give_up_rights, missing_ways


def main() -> int:
    """Live until there were enough kills, then sum up; 1 where anything went wrong."""
    arguments = parse_arguments()
    give_up_rights()
    os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="Agg", HF_HUB_OFFLINE="1")
    from common.files import stable_hash
    from common.vendored import stamp_of
    from tests.soak.children import adopt_orphans, import_everything
    from tests.soak.lives import LIVES, ROOT, make_cohorts
    from tests.soak.soak import BrokenLife, Outcome, Unbroken, draw_plan, live_unbroken
    from tests.soak.together import live_together

    output = arguments.output.resolve()
    read = [*sorted(ROOT.glob("bundles/*/configs/*.yaml")), *sorted(Path(__file__).parent.glob("*.py"))]
    code = [stamp_of(ROOT / "common"), *(path.read_text() for path in read)]
    begun_with = {"seed": arguments.seed, "code": stable_hash(code)}
    record = Record(output, begun_with)
    adopt_orphans()
    import_everything()
    lives = [life for life in LIVES if life.bundle in arguments.only]
    make_cohorts(output / "cohorts", {life.cohort for life in lives})
    for life in lives:
        index, work = LIVES.index(life), output / life.bundle
        while sum(found["kills"] for found in record.lives(life.bundle)) < -(-arguments.kills // len(lives)):
            if life.bundle not in record.unbroken:
                record.keep_unbroken(life.bundle, asdict(live_unbroken(life, work / "unbroken", output / "cohorts")))
            number = len(record.lives(life.bundle))
            draw = random.Random(f"{arguments.seed} {life.bundle} {number}")
            unbroken = Unbroken(**record.unbroken[life.bundle])
            broken = BrokenLife(life, unbroken, work / str(number), output / "cohorts", draw)
            plan = [step for step in draw_plan(index, number, draw) if step[1] not in missing_ways()]
            outcome: Outcome = broken.live(plan)
            record.keep_life(life.bundle, {**asdict(outcome), "kills": outcome.kills})
            print(f"{life.bundle} {number}: {outcome.kills} kills of {len(outcome.mishaps)} mishaps, ", end="")
            print(f"{len(outcome.faults)} faults, {outcome.seconds:.0f} s", *outcome.faults, sep="\n  ", flush=True)
    for life in lives[:1] if "together" not in record.kept else ():
        unbroken, work = Unbroken(**record.unbroken[life.bundle]), output / "together"
        record.keep("together", list(live_together(life, unbroken, work, output / "cohorts", arguments.many)))
    return record.sum_up([life.bundle for life in lives])


class Record:
    """What has been lived through: a line for each life, so that a soak that was interrupted goes on."""

    def __init__(self, output: Path, begun_with: dict) -> None:
        self.path = output / "record.jsonl"
        self.lines: list[dict] = []
        if self.path.exists():
            self.lines = [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]
        if not self.lines or self.lines[0] != begun_with:
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir(parents=True)
            self.lines = []
            self._add(begun_with)

    @property
    def kept(self) -> dict[str, list[str]]:
        """Faults of what is no life."""
        return {line["of"]: line["found"] for line in self.lines if "of" in line}

    def keep(self, of: str, found: list[str]) -> None:
        self._add({"of": of, "found": found})

    @property
    def unbroken(self) -> dict[str, dict]:
        return {line["bundle"]: line["unbroken"] for line in self.lines if "unbroken" in line}

    def lives(self, bundle: str) -> list[dict]:
        return [line for line in self.lines if line.get("bundle") == bundle and "faults" in line]

    def keep_unbroken(self, bundle: str, unbroken: dict) -> None:
        self._add({"bundle": bundle, "unbroken": unbroken})

    def keep_life(self, bundle: str, outcome: dict) -> None:
        self._add({"bundle": bundle, **outcome})

    def sum_up(self, bundles: list[str]) -> int:
        """Print the totals; 1 where there was a fault."""
        lives = [life for bundle in bundles for life in self.lives(bundle)]
        kinds = Counter(kind for life in lives for _, _, kind in life["mishaps"])
        phases = Counter(phase for life in lives for phase, _, kind in life["mishaps"] if kind in KILLS)
        for bundle in bundles:
            print(f"{bundle}: {sum(life['kills'] for life in self.lives(bundle))} kills")
        for way, reason in missing_ways().items():
            print(f"skipped: {way} ({reason})")
        print("kills by phase:", ", ".join(f"{phase} {count}" for phase, count in phases.items()))
        print("mishaps:", ", ".join(f"{kind} {kinds[kind]}" for kind in MISHAPS))
        faults = [fault for found in (*(life["faults"] for life in lives), *self.kept.values()) for fault in found]
        print("several at once:", *(found or ["no fault"] for found in self.kept.values()))
        kills, seconds = sum(life["kills"] for life in lives), sum(life["seconds"] for life in lives)
        print(f"{kills} kills in {len(lives)} lives, {len(faults)} faults, {seconds:.0f} s")
        return int(bool(faults))

    def _add(self, line: dict) -> None:
        self.lines.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    from tests.soak.lives import LIVES

    names = [life.bundle for life in LIVES]
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="in all, spread evenly over the bundles (default: 100)")
    parser.add_argument("--many", type=int, default=10, help="evaluations of one checkpoint at once (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these bundles alone")
    parser.add_argument("--output", type=Path, default=Path("build/soak"), help="default: build/soak")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
