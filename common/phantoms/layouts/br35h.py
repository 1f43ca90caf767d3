"""Phantom images in the layout of Br35H: ``yes/``, ``no/`` and ``pred/`` with JPGs, and planted copies of each other.

Beside them lie ``copies.csv``, the ground truth of the copies, and ``masks/yes/``, which shows where the tumour
of each image is. As in the real data set, some files are grey, RGB, palette or RGBA, some PNGs are called .jpg, and
some names are in capitals.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, PngImagePlugin

from common.cohorts.phantom_mark import MARK
from common.errors import KnobError, Problem
from common.files import atomic_path, write_text
from common.phantoms.writing.folder import make_each, refuse_filled, write_table
from common.phantoms.writing.planted_copies import COPIERS
from common.phantoms.writing.slice_pictures import SlicePicture, phantom_slice

CLASSES = {"yes": "y", "no": "no"}
"""The folders, and how the names of their images begin."""

COPIES_TABLE = "copies.csv"
MASKS = "masks"
PRED, UNLABELLED = "pred", 4
"""The folder of images without a label, and how many there are."""

ODD_EVERY = 9
ODD_KINDS = ("grey", "png_called_jpg", "capital_name", "palette", "rgba_png_called_jpg", "deep", "capital_suffix")
SMALLEST_SIDE, LARGEST_SIDE = 100, 512
"""Of smaller ones the smallest copies would have fewer pixels than readers take."""

_README = """These are phantoms, not patients: images made by a program from a seed.
They serve to try and to test software; no result on them says anything about people.

Made with: seed {seed}, {originals} originals per class, {copies} copies of each on average, side {side}.
{table} names the original, the kind and the group of every image; {masks}/yes/ shows the tumours.
"""


@dataclass(frozen=True)
class _Planned:
    """An image before it is written: ``group`` counts the originals of its class."""

    folder: str
    group: int
    kind: str
    picture: SlicePicture
    file: bytes
    name: str = ""


def make_br35h_phantoms(
    root: str | Path,
    originals: int = 24,
    copies: float = 1.5,
    seed: int = 0,
    side: int = 240,
    *,
    progress: bool = False,
) -> Path:
    """Write phantom images that look like Br35H as downloaded.

    Args:
        root: an empty or new folder.
        originals: images per class that show different brains.
        copies: how many copies an original has on average.
        seed: not negative.
        side: pixels of a slice before it is scaled; images have 0.55 to 3 times as many.
        progress: show a bar.

    Returns:
        ``root``.

    Raises:
        KnobError: a setting has no meaning; all of them at once.
        OutputError: ``root`` is a file or is not empty, or cannot be written to.
    """
    root = Path(root)
    _check_settings(originals, copies, seed, side)
    refuse_filled(root)
    rows = []
    for place, folder in enumerate(CLASSES):

        def plan(group: int, folder: str = folder, place: int = place) -> list[_Planned]:
            return list(_plan_group(folder, group, copies, seed, side, index=2 * group + place))

        planned = chain.from_iterable(make_each(plan, range(originals), "slice", progress))
        rows += _write_class(root, _named(list(planned), np.random.default_rng([seed, place])))
    for number in range(UNLABELLED):
        picture = phantom_slice(seed, 2 * originals + number, side, healthy=number % 2 == 1)
        _write(root / PRED / f"{PRED}{number}.jpg", _encode(picture.image, "rgb"))
    write_table(root / COPIES_TABLE, pd.DataFrame(rows, columns=["image", "original", "kind", "group"]))
    values = {"seed": seed, "originals": originals, "copies": copies, "side": side}
    write_text(root / "README.txt", _README.format(**values, table=COPIES_TABLE, masks=MASKS))
    return root


def _plan_group(folder: str, group: int, copies: float, seed: int, side: int, index: int) -> Iterator[_Planned]:
    """An original and its copies."""
    rng = np.random.default_rng([seed, index])
    picture = phantom_slice(seed, index, side, healthy=folder == "no")
    number = group * len(CLASSES) + (folder == "no")
    coding = ODD_KINDS[number // ODD_EVERY % len(ODD_KINDS)] if number % ODD_EVERY == 0 else "rgb"
    original = _encode(picture.image, coding)
    yield _Planned(folder, group, "original" if coding == "rgb" else f"original, {coding}", picture, original)
    for _ in range(rng.poisson(copies)):
        kind = str(rng.choice(list(COPIERS)))
        copy = COPIERS[kind](rng, picture)
        quality = int(rng.integers(70, 90))
        file = original if kind == "identical" else _encode(copy.image, "rgb", quality)
        yield _Planned(folder, group, kind, copy, file)


def _named(planned: Sequence[_Planned], rng: np.random.Generator) -> list[_Planned]:
    """With names that show neither original nor group."""
    named = []
    for image, number in zip(planned, rng.permutation(len(planned)), strict=True):
        stem, suffix = f"{CLASSES[image.folder]}{number}", "jpg"
        if image.kind.endswith("capital_name"):
            stem = stem.capitalize()
        if image.kind.endswith("capital_suffix"):
            suffix = "JPG"
        if image.kind.endswith(("palette", "deep")):
            suffix = "png"
        named.append(replace(image, name=f"{stem}.{suffix}"))
    return named


def _write_class(root: Path, images: Sequence[_Planned]) -> list[tuple[str, str, str, str]]:
    """Write the images and masks of a class; returns their rows of the table."""
    originals = {image.group: f"{image.folder}/{image.name}" for image in images if image.kind.startswith("original")}
    rows = []
    for image in images:
        path = f"{image.folder}/{image.name}"
        _write(root / path, image.file)
        if image.folder == "yes":
            _write((root / MASKS / path).with_suffix(".png"), _encode(image.picture.mask, "png_called_jpg"))
        rows.append((path, originals[image.group], image.kind, f"{image.folder}-{image.group}"))
    return rows


def _encode(image: Image.Image, coding: str, quality: int = 92) -> bytes:
    """A file that carries the phantoms' mark."""
    buffer = io.BytesIO()
    if coding in ("rgb", "grey", "capital_name", "capital_suffix"):
        mode = "L" if coding == "grey" else "RGB"
        image.convert(mode).save(buffer, "JPEG", quality=quality, comment=MARK.encode())
        return buffer.getvalue()
    mark = PngImagePlugin.PngInfo()
    mark.add_text("comment", MARK)
    if coding == "deep":
        converted = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    else:
        converted = image.convert({"palette": "P", "rgba_png_called_jpg": "RGBA"}.get(coding, "L"))
    converted.save(buffer, "PNG", pnginfo=mark)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _check_settings(originals: int, copies: float, seed: int, side: int) -> None:
    problems = []
    if originals < 1:
        problems.append(Problem(f"{originals} originals are not a data set", "originals", "Ask for at least 1."))
    if not 0 <= copies <= 20:
        problems.append(Problem(f"{copies} copies on average", "copies", "Use a number from 0 to 20."))
    if seed < 0:
        problems.append(Problem(f"a seed of {seed} is negative", "seed", "Use 0 or more."))
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        hint = f"Use a whole number from {SMALLEST_SIDE} to {LARGEST_SIDE}."
        problems.append(Problem(f"{side} pixels are not a valid side of a slice", "side", hint))
    if problems:
        raise KnobError(problems)
