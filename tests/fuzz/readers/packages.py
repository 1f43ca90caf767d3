"""Zips of packaged bundles: unpacked, and compared with their manifest before anything of them runs."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.mutations import cut, flip, is_zip, odd_json, on_file, scramble

NAME = "a_bundle"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass
class Package:
    """What was written.

    Args:
        path: the zip.
        files: its content by name, the manifest excepted.
        manifest: its content.
    """

    path: Path
    files: dict[str, bytes]
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> dict[str, str]:
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}

    def save(self, draw: Draw | None = None, **more: bytes) -> None:
        entries = {**self.files, "manifest.json": json.dumps(self.manifest).encode()}
        names = list(entries)
        if draw is not None:
            draw.shuffle(names)
        with zipfile.ZipFile(self.path, "w") as archive:
            for name in names:
                method = zipfile.ZIP_DEFLATED if draw is None else METHODS[draw.integers(len(METHODS))]
                archive.writestr(f"{NAME}/{name}", entries[name], method)
            for name, content in more.items():
                archive.writestr(name, content)


def write(folder: Path, draw: Draw) -> Package:
    metadata = {
        "version": "1.0.0",
        "changelog": {"1.0.0": "first"},
        "task": "a task",
        "intended_use": "none",
        "data_type": "nibabel",
        "network_data_format": {"inputs": {"image": {}}, "outputs": {"pred": {"num_channels": 2}}},
    }
    names = (
        "configs/inference.yaml",
        "configs/train.yaml",
        "LICENSE",
        "requirements.txt",
        "common/__init__.py",
        "models/model.pt",
    )
    files = {name: draw.bytes(int(draw.integers(20, 300))) for name in names}
    made = Package(folder / f"{NAME}_v1.0.0.zip", {**files, "configs/metadata.json": json.dumps(metadata).encode()})
    made.manifest = {"bundle": NAME, "version": "1.0.0", "common": "0" * 16, "files": made.value}
    made.save()
    return made


def read(folder: Path, output: Path) -> dict[str, str]:
    from common.packaging.archive import checksums, unpack
    from common.packaging.verification import check_content

    unpacked = unpack(next(folder.glob("*.zip")), output)
    check_content(unpacked)
    return checksums(unpacked)


def has_header(folder: Path) -> bool:
    return is_zip(next(folder.glob("*.zip")))


def packed_otherwise(folder: Path, made: Package, draw: Draw) -> Truth:
    """Order and methods of compression, a comment, bytes before the zip."""
    made.save(draw)
    if draw.integers(2):
        with zipfile.ZipFile(made.path, "a") as archive:
            archive.comment = draw.bytes(int(draw.integers(1, 60)))
    if draw.integers(3) == 0:
        made.path.write_bytes(draw.bytes(int(draw.integers(1, 60))) + made.path.read_bytes())
    return must_be(made.value)


def other_content(folder: Path, made: Package, draw: Draw) -> Truth:
    """A file that was changed, removed or added after the package was made, or a version without a change."""
    name = list(made.files)[int(draw.integers(len(made.files)))]
    what = int(draw.integers(3))
    if what == 0:
        made.files[name] = flip(made.files[name], draw)
    elif what == 1:
        del made.files[name]
    else:
        made.files["common/more.py"] = b"print()"
    made.save()
    return MUST_BE_REFUSED


def leads_out(folder: Path, made: Package, draw: Draw) -> Truth:
    """Names outside the package's folder, and links."""
    stray = (
        "../stray.txt",
        "/tmp/stray.txt",
        f"{NAME}/../../stray.txt",
        "C:\\stray.txt",
        "..\\stray.txt",
        "other/x.txt",
        "stray.txt",
    )
    made.save()
    with zipfile.ZipFile(made.path, "a") as archive:
        if draw.integers(4):
            archive.writestr(stray[draw.integers(len(stray))], b"stray")
        else:
            link = zipfile.ZipInfo(f"{NAME}/link")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
    return MUST_BE_REFUSED


def odd_manifest(folder: Path, made: Package, draw: Draw) -> Truth:
    """With and without a checksum of the metadata that fits."""
    if draw.integers(2):
        metadata = json.loads(made.files["configs/metadata.json"])
        content = json.dumps(odd_json(metadata, draw)).encode("utf-8", "surrogatepass")
        made.files["configs/metadata.json"] = content
        made.manifest["files"] = made.value
    else:
        made.manifest = odd_json(made.manifest, draw)
    made.save()
    return ANYTHING


def flip_directory(data: bytes, draw: Draw) -> bytes:
    """Bytes of the list of files at the end of a zip."""
    return flip(data, draw, data.rfind(b"PK\x01\x02") - 300)


def the_file(folder: Path, made: Package, draw: Draw) -> Path:
    return made.path


def value_or_refusal(made: Package) -> Truth:
    return must_be_or_refused(made.value)


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made.value)),
    Mutation("packed otherwise", packed_otherwise, 3.0),
    Mutation("other content", other_content, 3.0),
    Mutation("leads out", leads_out, 2.0),
    Mutation("odd manifest or metadata", odd_manifest, 5.0),
    Mutation("file: bytes flip_directory", on_file(the_file, flip_directory, value_or_refusal), 3.0),
    Mutation("file: bytes flip", on_file(the_file, flip, value_or_refusal), 3.0),
    Mutation("file: bytes scramble", on_file(the_file, scramble, value_or_refusal)),
    Mutation("file: bytes cut", on_file(the_file, cut, value_or_refusal)),
)

READERS = (Reader("package", write, MUTATIONS, has_header, read),)
