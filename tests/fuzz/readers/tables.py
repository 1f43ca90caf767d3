"""Clinical tables of BraTS 2020, UPENN-GBM and RSNA-MICCAI, beside patients' folders, in all the forms of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import odd_text, on_bytes

PATIENTS = 4
DELIMITERS = ",;\t|"
Rows = list[list[str]]


@dataclass
class Tables:
    """What was written.

    Args:
        root: of the data set.
        kind: what its samples are, for ``read_cohort``.
        tables: the cells of each table, a header row first.
        value: what each patient's record must say, by subject.
        free: names of columns in which any text is refused that is no value.
    """

    root: Path
    kind: str
    tables: dict[Path, Rows]
    value: dict[str, dict[str, Any]] = field(default_factory=dict)
    free: dict[str, str] = field(default_factory=dict)

    def save(self, write: Callable[[Rows], bytes] | None = None) -> None:
        for path, rows in self.tables.items():
            path.write_bytes((write or plain)(rows))


def plain(rows: Rows, delimiter: str = ",", end: str = "\n", quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def write(folder: Path, draw: Draw) -> Tables:
    maker = (_brats, _brats, _upenn, _rsna)[draw.integers(4)]
    made = maker(folder, draw)
    made.save()
    return made


def _brats(root: Path, draw: Draw) -> Tables:
    names = [f"BraTS20_Training_{number:03d}" for number in range(1, PATIENTS + 1)]
    grades, survival, value = (
        [["Grade", "BraTS_2019_subject_ID", "BraTS_2020_subject_ID"]],
        [["Brats20ID", "Age", "Survival_days", "Extent_of_Resection"]],
        {},
    )
    for name in names:
        write_volumes(root / name, [f"{name}_{end}" for end in ("flair", "t1", "t1ce", "t2", "seg")])
        age, days = round(float(draw.uniform(18, 90)), 3), int(draw.integers(1, 2000))
        alive, cut = bool(draw.integers(2)), ("GTR", "STR", "NA")[draw.integers(3)]
        grade = ("HGG", "LGG")[draw.integers(2)]
        grades.append([grade, "NA", name])
        survival.append([name, str(age), f"ALIVE ({days} days later)" if alive else str(days), cut])
        known = {"age": age, "survival_days": float(days), "alive": alive, "resection": None if cut == "NA" else cut}
        value[name] = {**known, "grade": grade}
    tables = {root / "name_mapping.csv": grades, root / "survival_info.csv": survival}
    return Tables(
        root, "volumes", tables, value, {"Grade": "grade", "Age": "age", "Survival_days": "", "Extent_of_Resection": ""}
    )


def _upenn(root: Path, draw: Draw) -> Tables:
    rows, value = (
        [
            [
                "ID",
                "Gender",
                "Age_at_scan_years",
                "Survival_from_surgery_days_UPDATED",
                "Survival_Censor",
                "GTR_over90percent",
            ]
        ],
        {},
    )
    for number in range(1, PATIENTS + 1):
        scan = f"UPENN-GBM-{number:05d}_11"
        write_volumes(root / "images_structural" / scan, [f"{scan}_{end}" for end in ("FLAIR", "T1", "T1GD", "T2")])
        write_volumes(root / "images_segm", [f"{scan}_segm"])
        age, days, alive = round(float(draw.uniform(18, 90)), 2), int(draw.integers(1, 2000)), bool(draw.integers(2))
        cut = ("Y", "N", "Not Available")[draw.integers(3)]
        rows.append(
            [scan, "M", str(age), "Not Available" if alive else str(days), str(days) if alive else "Not Available", cut]
        )
        resection = {"Y": "GTR", "N": "STR"}.get(cut)
        value[scan[:-3]] = {
            "age": age,
            "survival_days": float(days),
            "alive": alive,
            "resection": resection,
            "grade": "HGG",
        }
    return Tables(
        root,
        "volumes",
        {root / "UPENN-GBM_clinical_info_v2.1.csv": rows},
        value,
        {"Age_at_scan_years": "", "GTR_over90percent": ""},
    )


def _rsna(root: Path, draw: Draw) -> Tables:
    rows, value = [["BraTS21ID", "MGMT_value"]], {}
    for number in range(PATIENTS):
        for series in ("FLAIR", "T1w", "T1wCE", "T2w"):
            folder = root / "train" / f"{number:05d}" / series
            folder.mkdir(parents=True)
            (folder / "Image-1.dcm").touch()
        status = int(draw.integers(2))
        rows.append([f"{number:05d}" if draw.integers(2) else str(number), str(status)])
        value[f"{number:05d}"] = {"mgmt": status}
    return Tables(root, "series", {root / "train_labels.csv": rows}, value, {"MGMT_value": ""})


_VOLUMES: dict[str, bytes] = {}


def write_volumes(folder: Path, names: Sequence[str]) -> None:
    """Tiny volumes of their own content, made once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name not in _VOLUMES:
            draw = np.random.default_rng(list(name.encode()))
            high = 3 if name.endswith(("seg", "segm")) else 900
            array = draw.integers(0, high, (5, 4, 3)).astype(np.int16)
            _VOLUMES[name] = nib.Nifti1Image(array, np.eye(4)).to_bytes()
        (folder / f"{name}.nii").write_bytes(_VOLUMES[name])


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As a run reads its cohort; each record's clinical values by subject."""
    from common.cohorts import read_cohort

    kind = "series" if (folder / "train").is_dir() else "volumes"
    names = ("mgmt",) if kind == "series" else ("age", "survival_days", "alive", "resection", "grade")
    return {record["subject"]: {name: record.get(name) for name in names} for record in read_cohort(folder, kind=kind)}


def has_header(folder: Path) -> bool:
    """Whether the tables are text with the right first column."""
    from common.errors import DatasetError
    from common.formats.tables import read_table

    try:
        tables = [read_table(path) for path in folder.glob("*.csv")]
    except DatasetError:
        return False
    return bool(tables) and all(any("id" in title for title in table.titles) for table in tables)


def other_form(folder: Path, made: Tables, draw: Draw) -> Truth:
    """Marks, encodings, line ends, delimiters, quotes, blanks, empty lines."""
    delimiter, end = DELIMITERS[draw.integers(4)], ("\n", "\r\n", "\r")[draw.integers(3)]
    quoting = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)[draw.integers(2)]
    encoding = ("utf-8", "utf-8-sig", "utf-16")[draw.integers(3)]
    blanks, empty = " " * int(draw.integers(3)), int(draw.integers(2))

    def save(rows: Rows) -> bytes:
        spaced = [[cell + blanks for cell in row] for row in rows]
        text = plain(spaced, delimiter, end, quoting).decode()
        return (end * empty + text + end * empty if draw.integers(2) else text.rstrip("\r\n")).encode(encoding)

    made.save(save)
    return must_be(made.value)


def other_order(folder: Path, made: Tables, draw: Draw) -> Truth:
    """Columns and rows in another order, more columns, titles in another case."""
    for path, rows in made.tables.items():
        head, *body = rows
        columns = [int(place) for place in draw.permutation(len(head))]
        body = [body[int(place)] for place in draw.permutation(len(body))]
        title = (str.upper, str.lower, str)[draw.integers(3)]
        rows = [[title(head[c]) for c in columns], *([row[c] for c in columns] for row in body)]
        if draw.integers(2):
            rows = [[*row, 'a "note", more\nlines' if number else "Remark"] for number, row in enumerate(rows)]
        made.tables[path] = rows
    made.save()
    return must_be(made.value)


def decimal_commas(folder: Path, made: Tables, draw: Draw) -> Truth:
    for rows in made.tables.values():
        places = [place for place, title in enumerate(rows[0]) if title.lower().startswith("age")]
        for row in rows[1:]:
            for place in places:
                row[place] = f"{float(row[place]):.2f}".replace(".", ",")
    made.save(lambda rows: plain(rows, ";"))
    for known in made.value.values():
        known.update({"age": round(known["age"] + 1e-9, 2)} if "age" in known else {})
    return must_be(_rounded(made))


def _rounded(made: Tables) -> dict[str, Any]:
    """Ages as the cells of the tables now tell them."""
    for rows in made.tables.values():
        places = [place for place, title in enumerate(rows[0]) if title.lower().startswith("age")]
        for row in rows[1:] if places else []:
            made.value[row[0].removesuffix("_11")]["age"] = float(row[places[0]].replace(",", "."))
    return made.value


def no_value(folder: Path, made: Tables, draw: Draw) -> Truth:
    """A word that is no value in a column that takes values."""
    rows, column = _a_column(made, draw)
    rows[int(draw.integers(1, len(rows)))][column] = ("maybe", "??", "-5", "1,250", "inf", "121 years")[
        draw.integers(6)
    ]
    made.save()
    return MUST_BE_REFUSED


def contradiction(folder: Path, made: Tables, draw: Draw) -> Truth:
    """A row that says something else of the same patient."""
    rows, column = _a_column(made, draw)
    row = list(rows[int(draw.integers(1, len(rows)))])
    others = {"Grade": ("HGG", "LGG"), "MGMT_value": ("0", "1"), "Age": ("50", "51"), "Survival_days": ("7", "8")}
    if rows[0][column] not in others:
        return must_be(made.value)
    row[column] = next(value for value in others[rows[0][column]] if value != row[column])
    rows.append(row)
    made.save()
    return MUST_BE_REFUSED


def _a_column(made: Tables, draw: Draw) -> tuple[Rows, int]:
    found = [
        (rows, place) for path, rows in made.tables.items() for place, title in enumerate(rows[0]) if title in made.free
    ]
    return found[int(draw.integers(len(found)))]


def odd_cell(folder: Path, made: Tables, draw: Draw) -> Truth:
    """Any text in any cell; rows and columns that are missing, doubled or too long."""
    paths = list(made.tables)
    rows = made.tables[paths[int(draw.integers(len(paths)))]]
    for _ in range(int(draw.integers(1, 4))):
        row = rows[int(draw.integers(len(rows)))]
        what = int(draw.integers(6))
        if what < 3 and row:
            row[int(draw.integers(len(row)))] = odd_text(draw)
        elif what == 3 and row:
            row.pop(int(draw.integers(len(row))))
        elif what == 4:
            row.extend(odd_text(draw) for _ in range(int(draw.integers(1, 4))))
        elif len(rows) > 1:
            rows.insert(int(draw.integers(len(rows))), rows.pop())
    made.save()
    return ANYTHING


def one_file(folder: Path, made: Tables, draw: Draw) -> Path:
    paths = sorted(made.tables)
    return paths[int(draw.integers(len(paths)))]


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made.value)),
    Mutation("another form", other_form, 4.0),
    Mutation("another order", other_order, 2.0),
    Mutation("decimal commas", decimal_commas),
    Mutation("no value", no_value, 2.0),
    Mutation("a contradiction", contradiction),
    Mutation("odd cells", odd_cell, 6.0),
    *on_bytes("file", one_file),
)

READERS = (Reader("csv_table", write, MUTATIONS, has_header, read),)
