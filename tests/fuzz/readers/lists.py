"""Lists of one's own, CSV and JSON: of volumes, of series and of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import deep, odd_parts_of, odd_text, on_bytes, write_json
from tests.fuzz.readers.tables import Rows, plain, write_volumes

ENTRIES = 3
MODALITIES = ("flair", "t1", "t1ce", "t2")
KINDS = ("volumes", "series", "images")


@dataclass
class Listed:
    """What was written.

    Args:
        path: the list.
        kind: what its samples are.
        entries: what it says of each.
        value: what the records must say, by subject.
    """

    path: Path
    kind: str
    entries: list[dict[str, Any]]
    value: dict[str, Any]

    def save_csv(self, entries: list[dict[str, Any]] | None = None, **form: Any) -> None:
        self.path.write_bytes(plain(as_rows(entries or self.entries), **form))


def as_rows(entries: list[dict[str, Any]]) -> Rows:
    head = list(entries[0])
    return [head, *([str(entry.get(key, "")) for key in head] for entry in entries)]


def make(folder: Path, draw: Draw, ending: str) -> Listed:
    kind = KINDS[draw.integers(3)]
    (folder / "kind.txt").write_text(kind)
    entries: list[dict[str, Any]] = []
    value: dict[str, Any] = {}
    for number in range(1, ENTRIES + 1):
        subject = f"{('p', 'Müller ', 'a.b-')[draw.integers(3)]}{number}"
        entry, known = _ENTRIES[kind](folder, number, draw)
        entries.append({"subject": subject, **entry})
        value[subject] = known
    made = Listed(folder / f"list{ending}", kind, entries, value)
    if ending == ".csv":
        made.save_csv()
    else:
        write_json(made.path, {"training": entries})
    return made


def _volumes(folder: Path, number: int, draw: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    write_volumes(folder / f"p{number}", [f"p{number}_{key}" for key in (*MODALITIES, "seg")])
    age, grade = round(float(draw.uniform(18, 90)), 1), ("HGG", "LGG")[draw.integers(2)]
    files = {key: f"p{number}/p{number}_{key}.nii" for key in (*MODALITIES, "seg")}
    paths = {key: str(folder / file) for key, file in files.items()}
    return {**files, "age": age, "grade": grade}, {**paths, "age": age, "grade": grade}


def _series(folder: Path, number: int, draw: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    folders = {key: f"p{number}/{key}" for key in MODALITIES}
    for place in folders.values():
        (folder / place).mkdir(parents=True)
    status = int(draw.integers(2))
    return {**folders, "mgmt": status}, {**{k: str(folder / v) for k, v in folders.items()}, "mgmt": status}


def _images(folder: Path, number: int, draw: Draw) -> tuple[dict[str, Any], dict[str, Any]]:
    pixels = np.random.default_rng(number).integers(0, 255, (40, 33)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"slice{number}.png")
    label = "no" if number == 1 else "yes" if number == 2 else ("yes", "no")[draw.integers(2)]
    return {"image": f"slice{number}.png", "label": label}, {
        "image": str(folder / f"slice{number}.png"),
        "class_name": label,
    }


_ENTRIES: dict[str, Callable[..., tuple[dict[str, Any], dict[str, Any]]]] = {
    "volumes": _volumes,
    "series": _series,
    "images": _images,
}


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As a run does, and as an inference names its results."""
    from common.cohorts import read_cohort
    from common.cohorts.list_kind import find_list_kind
    from common.files import path_within, write_text
    from common.names import file_name_of

    path = next(path for path in folder.iterdir() if path.stem == "list")
    kind = (folder / "kind.txt").read_text()
    find_list_kind(path)
    keys = {
        "volumes": (*MODALITIES, "seg", "age", "grade"),
        "series": (*MODALITIES, "mgmt"),
        "images": ("image", "class_name"),
    }
    found = {}
    for record in read_cohort(datalist=path, kind=kind):
        name = file_name_of(record, output, folders=kind == "images")
        write_text(path_within(output, f"{name}_seg.txt"), "a result")
        key = record["subject"] if record["subject"] not in found else name
        found[key] = {key: record.get(key) for key in keys[kind]}
    return found


def has_header(folder: Path) -> bool:
    """Whether a table has the columns that it needs, or JSON a list of entries."""
    import json

    from common.errors import DatasetError
    from common.formats.tables import read_table

    path = next(path for path in folder.iterdir() if path.stem == "list")
    try:
        if path.suffix == ".csv":
            return bool({"subject", "image"} & read_table(path).titles.keys())
        return isinstance(json.loads(path.read_text(encoding="utf-8-sig")), dict | list)
    except (DatasetError, ValueError, RecursionError):
        return False


def other_csv(folder: Path, made: Listed, draw: Draw) -> Truth:
    """Delimiters, line ends, encodings, columns in another order, with other titles or more of them."""
    titles = {"seg": "label", "age": "Age", "mgmt": "MGMT_value"}
    keys = [list(made.entries[0])[int(place)] for place in draw.permutation(len(made.entries[0]))]
    rename = bool(draw.integers(2)) and made.kind != "images"
    entries = [{(titles.get(key, key) if rename else key): entry[key] for key in keys} for entry in made.entries]
    entries = [{**entry, "remark": 'a "b", c\nd'} for entry in entries] if draw.integers(2) else entries
    end = ("\n", "\r\n")[draw.integers(2)]
    data = plain(as_rows(entries), ",;\t|"[draw.integers(4)], end)
    made.path.write_bytes(data.decode().encode(("utf-8", "utf-8-sig", "utf-16")[draw.integers(3)]))
    return must_be(made.value)


def other_json(folder: Path, made: Listed, draw: Draw) -> Truth:
    """A list alone, other sections, other order, numbers as text."""
    entries = [
        {key: str(value) if draw.integers(2) else value for key, value in entry.items()} for entry in made.entries
    ]
    forms: tuple[Any, ...] = (
        entries,
        {"training": entries[:1], "validation": entries[1:], "name": "a list"},
        {"testing": entries, "numTraining": 0},
        {"test": entries, "mask_values": [1, 2, 4]},
    )
    write_json(made.path, forms[draw.integers(4)], draw)
    return must_be(made.value)


def other_paths(folder: Path, made: Listed, draw: Draw) -> Truth:
    """Absolute paths, and a list made on Windows."""
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: str(folder / text),
        lambda text: f"./{text}",
        lambda text: text.replace("/", "\\"),
    )
    change = changes[draw.integers(3)]
    for entry in made.entries:
        entry.update({key: change(entry[key]) for key in (*MODALITIES, "seg", "image") if key in entry})
    _save(made)
    return must_be(made.value)


def refused(folder: Path, made: Listed, draw: Draw) -> Truth:
    """An id that names a file elsewhere, a path that is not there, a patient twice, an unknown label."""
    entry = made.entries[int(draw.integers(ENTRIES))]
    first = next(key for key in (*MODALITIES, "image") if key in entry)
    what = int(draw.integers(4))
    if what == 0:
        entry["subject"] = ("../up", "/etc/x", "a/b", "a\\b", "..", "x" * 200, "a\x07b")[draw.integers(7)]
    elif what == 1:
        entry[first] = ("nowhere.nii", "/nowhere", "", "x" * 300)[draw.integers(4)]
    elif what == 2:
        made.entries.append(dict(entry))
    else:
        entry[first] = made.entries[(made.entries.index(entry) + 1) % ENTRIES][first]
    _save(made)
    return MUST_BE_REFUSED


def _save(made: Listed) -> None:
    if made.path.suffix == ".csv":
        made.save_csv()
    else:
        write_json(made.path, made.entries)


def odd_cells(folder: Path, made: Listed, draw: Draw) -> Truth:
    for _ in range(int(draw.integers(1, 4))):
        entry = made.entries[int(draw.integers(ENTRIES))]
        key = list(entry)[int(draw.integers(len(entry)))]
        if draw.random() < 0.8:
            entry[key] = odd_text(draw)
        else:
            made.entries[0][odd_text(draw)] = odd_text(draw)
    made.save_csv()
    return ANYTHING


def odd_parts(folder: Path, made: Listed, draw: Draw) -> Truth:
    content: Any = {"training": made.entries, "mask_values": [1, 2, 4], "validation": []}
    write_json(made.path, odd_parts_of(content, draw))
    return ANYTHING


def the_list(folder: Path, made: Listed, draw: Draw) -> Path:
    return made.path


SHARED = (
    Mutation("nothing", lambda folder, made, draw: must_be(made.value)),
    Mutation("other paths", other_paths, 2.0),
    Mutation("what is refused", refused, 3.0),
)
CSV = (
    *SHARED,
    Mutation("another form", other_csv, 4.0),
    Mutation("odd cells", odd_cells, 6.0),
    *on_bytes("file", the_list),
)
JSON = (
    *SHARED,
    Mutation("another form", other_json, 4.0),
    Mutation("odd parts", odd_parts, 6.0),
    deep(the_list),
    *on_bytes("file", the_list),
)

READERS = (
    Reader("csv_list", lambda folder, draw: make(folder, draw, ".csv"), CSV, has_header, read),
    Reader("json_list", lambda folder, draw: make(folder, draw, ".json"), JSON, has_header, read),
)
