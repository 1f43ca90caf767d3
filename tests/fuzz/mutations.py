"""Changes that any file, any JSON value and any table can undergo."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Truth

ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff",
    b"\x80\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\n",
    b'"',
    b"\xef\xbb\xbf",
)
ODD_TEXTS = (
    *("", " ", "NA", "nan", "-1", "0", "1e999", "61,5", "1,250", "00061", "٣", "²", "true", "=1+1", "../up", "a/b"),
    *(
        "..",
        ".",
        "\\\\host\\x",
        "\x00",
        "\x1b[31m",
        "\ud800",
        "é",
        "e\u0301",
        "😀",
        "x" * 300,
        "9" * 400,
        "\u202e",
        "~",
        "~x",
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**70, 1.5, -0.0, float("nan"), float("inf"), [], {}, [[]], {"": None}, [None, 1, "x"]),
    *([{"a": [1]}], "", "x"),
)


def odd_text(draw: Draw) -> str:
    return ODD_TEXTS[draw.integers(len(ODD_TEXTS))]


def odd_value(draw: Draw) -> Any:
    if draw.random() < 0.3:
        return odd_text(draw)
    return copy.deepcopy(ODD_VALUES[draw.integers(len(ODD_VALUES))])


def flip(data: bytes, draw: Draw, start: int = 0, end: int | None = None) -> bytes:
    """Change 1 to 4 bytes between two places."""
    changed = bytearray(data)
    for _ in range(int(draw.integers(1, 5))):
        changed[int(draw.integers(start, end or len(data)))] ^= int(draw.integers(1, 256))
    return bytes(changed)


def cut(data: bytes, draw: Draw, least: int = 0) -> bytes:
    """Only a beginning of ``least`` bytes or more is left."""
    return data[: int(draw.integers(least, len(data)))]


def scramble(data: bytes, draw: Draw) -> bytes:
    """Cut out, repeat, overwrite, insert or exchange pieces."""
    start, end = sorted(int(place) for place in draw.integers(0, len(data) + 1, 2))
    odd = ODD_BYTES[draw.integers(len(ODD_BYTES))]
    return (
        data[:start] + data[end:],
        data[:end] + data[start:],
        data[:start] + odd + data[start + len(odd) :],
        data[:start] + odd * int(draw.integers(1, 40)) + data[start:],
        data[:start] + bytes(min(end - start, 512)) + data[start + min(end - start, 512) :],
        data[end:] + data[start:end] + data[:start],
    )[int(draw.integers(6))]


def on_bytes(name: str, path_of: Callable[[Path, Any, Draw], Path]) -> tuple[Mutation, ...]:
    """The three changes of bytes, of which nothing is known but that they must not harm; see also ``on_file``."""
    return tuple(
        Mutation(f"{name}: bytes {change.__name__}", on_file(path_of, change, lambda _: ANYTHING), weight)
        for change, weight in ((flip, 2.0), (scramble, 1.5), (cut, 1.0))
    )


def on_file(
    path_of: Callable[[Path, Any, Draw], Path],
    change: Callable[[bytes, Draw], bytes],
    truth_of: Callable[[Any], Truth],
) -> Callable[[Path, Any, Draw], Truth]:
    """A mutation that changes the bytes of one file."""

    def apply(folder: Path, made: Any, draw: Draw) -> Truth:
        path = path_of(folder, made, draw)
        path.write_bytes(change(path.read_bytes(), draw))
        return truth_of(made)

    return apply


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys and indices that lead to each part of a JSON value, itself excepted."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from places_in(part, (*place, key))


def odd_json(value: Any, draw: Draw) -> Any:
    """A JSON value with one part replaced, removed, renamed or repeated."""
    value = copy.deepcopy(value)
    places = list(places_in(value))
    if not places or draw.random() < 0.03:
        return odd_value(draw)
    *way, last = places[int(draw.integers(len(places)))]
    holder = value
    for key in way:
        holder = holder[key]
    what = int(draw.integers(5))
    if what == 0:
        del holder[last]
    elif what == 1 and isinstance(holder, dict):
        holder[odd_text(draw)] = holder.pop(last)
    elif what == 1:
        holder.append(copy.deepcopy(holder[last]))
    elif what == 2:
        holder[last] = [holder[last]]
    else:
        holder[last] = odd_value(draw)
    return value


def odd_parts_of(value: Any, draw: Draw) -> Any:
    """A JSON value after 1 to 3 changes by :func:`odd_json`."""
    for _ in range(int(draw.integers(1, 4))):
        value = odd_json(value, draw)
    return value


def write_json(path: Path, value: Any, draw: Draw | None = None) -> None:
    """Write JSON; with ``draw``, in one of the forms that mean the same."""
    if draw is None:
        path.write_bytes(_encode(json.dumps(value)))
        return
    if isinstance(value, dict):
        keys = list(value)
        draw.shuffle(keys)
        value = {key: value[key] for key in keys}
    indent = [None, 0, 1, 4, "\t"][int(draw.integers(5))]
    text = json.dumps(value, indent=indent, ensure_ascii=bool(draw.integers(2)))
    text = text.replace("\n", "\r\n") if draw.integers(2) else text
    mark = b"\xef\xbb\xbf" if draw.integers(2) else b""
    path.write_bytes(mark + _encode(text + "\n" * int(draw.integers(3))))


def deep_json(draw: Draw) -> str:
    """Thousands of lists within each other."""
    depth = int(draw.integers(3_000, 200_000))
    start, end = [("[", "]"), ('{"a":', "}")][int(draw.integers(2))]
    return start * depth + "1" + end * (depth if draw.integers(2) else 0)


def deep(path_of: Callable[[Path, Any, Draw], Path]) -> Mutation:
    """Of one file: JSON of thousands of levels."""
    return Mutation(
        "thousands of levels", on_file(path_of, lambda _, draw: deep_json(draw).encode(), must_be_refused), 0.5
    )


def must_be_refused(_: Any) -> Truth:
    return MUST_BE_REFUSED


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def is_zip(path: Path) -> bool:
    """Whether a file has the directory that a zip ends with."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False
