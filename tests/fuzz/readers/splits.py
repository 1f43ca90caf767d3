"""Split manifests: drawn ones with their hash, and files made by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.mutations import cut, deep, flip, odd_parts_of, on_file, scramble, write_json

SIDES = ("train", "validation", "test")
SUBJECTS = tuple(f"P{number:02d}" for number in range(20))


@dataclass
class Split:
    """What was written.

    Args:
        path: the file.
        content: what it says.
    """

    path: Path
    content: dict[str, Any]

    @property
    def value(self) -> dict[str, Any]:
        return {side: sorted(self.content[side]) for side in SIDES}


def write(folder: Path, draw: Draw) -> Split:
    from common.splits.draw import draw_split

    records: Any = [{"subject": name, "grade": "HGG" if number < 14 else "LGG"} for number, name in enumerate(SUBJECTS)]
    drawn = draw_split(records, seed=int(draw.integers(99)), fold=int(draw.integers(5)))
    made = Split(folder / "split.json", drawn.to_json())
    write_json(made.path, made.content)
    return made


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As a run that was given the file; its own copy must say the same."""
    from common.splits import resolve_split, side_records
    from common.splits.manifest import load_manifest

    records: Any = [{"subject": name} for name in SUBJECTS]
    path = folder / "split.json"
    protocol = load_manifest(path).protocol
    split = resolve_split(records, output, split_file=path, protocol=protocol)
    assert load_manifest(output / "split.json") == split, "the run's copy is another split"
    split.provenance()
    if split.unit == "subject":
        sides = {side: {record["subject"] for record in side_records(records, split, side)} for side in SIDES}
        assert sum(map(len, sides.values())) == len(set().union(*sides.values())), "a patient is on two sides"
    return {side: list(split.sides[side]) for side in SIDES}


def has_header(folder: Path) -> bool:
    try:
        content = json.loads((folder / "split.json").read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict)


def other_form(folder: Path, made: Split, draw: Draw) -> Truth:
    """Indents, order of keys and ids, marks, line ends."""
    content = {
        key: [value[int(place)] for place in draw.permutation(len(value))] if key in SIDES else value
        for key, value in made.content.items()
    }
    write_json(made.path, content, draw)
    return must_be(made.value)


def by_hand(folder: Path, made: Split, draw: Draw) -> Truth:
    """Only the sides, with ids that moved."""
    made.content = {side: list(made.content[side]) for side in SIDES}
    for _ in range(int(draw.integers(0, 4))):
        side, other = (SIDES[int(place)] for place in draw.permutation(3)[:2])
        made.content[other] += [made.content[side].pop()] if made.content[side] else []
    write_json(made.path, {**made.content, "remark": "by hand"}, draw)
    return must_be(made.value)


def changed(folder: Path, made: Split, draw: Draw) -> Truth:
    """Changed after it was made, a patient twice or on two sides, or nobody's patient."""
    content = made.content
    what = int(draw.integers(5))
    if what == 0:
        content["test"].append(content["train"].pop())
    elif what == 1:
        content["seed"] += 1
    elif what == 2:
        content["test"].append(content["train"][0])
    elif what == 3:
        content["train"].append(content["train"][0])
    else:
        del content["hash"]
        content["train"].append("NOBODY")
    write_json(made.path, content)
    return MUST_BE_REFUSED


def odd_parts(folder: Path, made: Split, draw: Draw) -> Truth:
    """With and without the hash."""
    content: Any = made.content
    if draw.integers(2):
        del content["hash"]
    write_json(made.path, odd_parts_of(content, draw))
    return ANYTHING


def the_file(folder: Path, made: Split, draw: Draw) -> Path:
    return made.path


def value_or_refusal(made: Split) -> Truth:
    """The hash finds every change of what counts."""
    return must_be_or_refused(made.value)


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made.value)),
    Mutation("another form", other_form, 3.0),
    Mutation("by hand", by_hand, 3.0),
    Mutation("what is refused", changed, 3.0),
    Mutation("odd parts", odd_parts, 6.0),
    deep(the_file),
    Mutation("file: bytes flip", on_file(the_file, flip, value_or_refusal), 3.0),
    Mutation("file: bytes scramble", on_file(the_file, scramble, value_or_refusal)),
    Mutation("file: bytes cut", on_file(the_file, cut, lambda _: MUST_BE_REFUSED)),
)

READERS = (Reader("split", write, MUTATIONS, has_header, read),)
