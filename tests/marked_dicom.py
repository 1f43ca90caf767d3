"""DICOM files full of marks, and a search for them in all that a program wrote.

Every element of DICOM's dictionary that can hold a text, a date, a time or an id gets a mark of its own, far more than
those that the confidentiality profile (PS3.15, Annex E) names; so do elements in sequences and private ones. What is
left as it was is what an image cannot be read without.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.datadict import DicomDictionary, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

NEEDED_TO_READ = {
    *("SOPClassUID", "Modality", "ImageType", "SpecificCharacterSet", "TransferSyntaxUID", "PhotometricInterpretation"),
    *("PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "ImagePositionPatient", "ImageOrientationPatient"),
    *("PresentationLUTShape", "RescaleType", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
    *("RescaleSlope", "RescaleIntercept", "PixelPresentation", "NumberOfFrames", "SOPInstanceUID"),
}
GROUPS = (0x0008, 0x0010, 0x0012, 0x0014, 0x0018, 0x0020, 0x0032, 0x0038, 0x0040, 0x0070, 0x0088, 0x0400)
MARK = "ZQMARKED"
UID = "1.2.826.0.1.9999777"
DATE, TIME = "18710203", "235958.871871"
NEEDLES = (MARK, UID, DATE, "1871-02-03", "1871.02.03", "1871/02/03", TIME, "23:59:58.871871")
SEQUENCES = (
    *("ReferencedPatientSequence", "OtherPatientIDsSequence", "RequestAttributesSequence", "ReferencedStudySequence"),
    *("PersonIdentificationCodeSequence", "PhysiciansOfRecordIdentificationSequence", "SourceImageSequence"),
    *("ContributingEquipmentSequence", "PatientSpeciesCodeSequence", "IssuerOfAccessionNumberSequence"),
)
ENCODED = re.compile(rb"[A-Za-z0-9+/]{200,}={0,2}")


@cache
def template() -> tuple[Dataset, Mapping[str, str]]:
    """A header in which everything is marked, and the mark of each element by its keyword."""
    header, marks = Dataset(), {}
    for number, (tag, (kind, _, _, retired, keyword)) in enumerate(sorted(DicomDictionary.items())):
        if tag >> 16 not in GROUPS or not keyword or keyword in NEEDED_TO_READ or retired:
            continue
        if mark := _mark(kind, number):
            setattr(header, keyword, mark)
            marks[keyword] = mark
    for keyword in SEQUENCES:
        inner = Dataset()
        inner.PatientName = marks[f"{keyword}.PatientName"] = f"{MARK}{keyword[:20]}^In"
        inner.CodeMeaning = marks[f"{keyword}.CodeMeaning"] = f"{MARK}{keyword[-20:]}"
        setattr(header, keyword, [inner])
    private = header.private_block(0x0011, f"{MARK} CREATOR", create=True)
    private.add_new(1, "LO", f"{MARK} private name")
    private.add_new(2, "OB", f"{MARK} private bytes".encode())
    private.add_new(3, "UN", f"{MARK} unknown".encode())
    marks |= {"private": f"{MARK} private", "private creator": f"{MARK} CREATOR", "unknown": f"{MARK} unknown"}
    return header, marks


def mark_files(paths: Iterable[Path], spared: Iterable[str] = (), series: bool = True) -> Mapping[str, str]:
    """Mark DICOM files; their pixels and their geometry stay.

    Args:
        paths: the files.
        spared: keywords that stay too.
        series: mark the ids of studies, series and frames of reference as well, one for each folder.

    Returns:
        The marks by keyword.
    """
    header, marks = template()
    ids = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
    kept = {*spared, *(() if series else ids)}
    numbers: dict[Path, int] = {}
    for number, path in enumerate(sorted(paths)):
        image = dcmread(path)
        image.update({element.tag: element for element in header if element.keyword not in kept})
        if series:
            image.SeriesInstanceUID = f"{UID}.7.{numbers.setdefault(path.parent, len(numbers))}"
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"{UID}.8.{number}"
        image.file_meta.ImplementationVersionName = f"{MARK} VERSION"
        image.file_meta.SourceApplicationEntityTitle = f"{MARK} SOURCE"
        image.preamble = f"{MARK} preamble".encode().ljust(128, b"\0")
        image.save_as(path)
    return {keyword: mark for keyword, mark in marks.items() if keyword not in kept}


def write_raw(path: Path, elements: Mapping[str, bytes]) -> None:
    """Put bytes into elements of a file as they are, by keyword; pydicom would check them."""
    image = dcmread(path)
    implicit = image.file_meta.TransferSyntaxUID.is_implicit_VR
    for keyword, value in elements.items():
        tag = Tag(tag_for_keyword(keyword))
        kind = None if implicit else dictionary_VR(tag)
        image._dict[tag] = RawDataElement(tag, kind, len(value), value, 0, implicit, True)
    image.save_as(path)


def mark_numbers(paths: Iterable[Path]) -> None:
    """Put a mark into every element that should hold a decimal or an integer in digits, but those of the geometry."""
    keywords = [
        keyword
        for tag, (kind, _, _, retired, keyword) in DicomDictionary.items()
        if kind in ("IS", "DS") and tag >> 16 in GROUPS and not retired and keyword not in NEEDED_TO_READ
    ]
    for path in list(paths):
        write_raw(path, dict.fromkeys(keywords, MARK.encode()))


def find_marks(content: bytes) -> set[str]:
    """The bytes around a mark, for each kind of mark; also where texts are UTF-16 or a date has hyphens."""
    plain = content.replace(b"\0", b"")
    places = [plain.find(needle.encode()) for needle in NEEDLES]
    return {plain[max(0, place - 20) : place + 40].decode("latin-1") for place in places if place >= 0}


def written_bytes(folders: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Every file of the folders as it is, and all that is compressed or encoded in it, with its path."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            yield path, str(path.relative_to(folder)).encode()
            if path.is_file():
                yield from ((path, part) for part in _unpacked(path.read_bytes()))


def _mark(kind: str, number: int) -> str | None:
    """A value of the kind that no other element has; ``None`` for kinds that cannot hold one."""
    texts = {
        "PN": f"{MARK}{number}^Jane",
        "UI": f"{UID}.{number}.0",
        "DA": DATE,
        "TM": TIME,
        "DT": f"{DATE}{TIME}",
        "UR": f"http://{MARK}{number}",
    }
    if kind in ("LO", "SH", "LT", "ST", "UT", "UC", "AE", "CS"):
        return f"{MARK}{number}X"
    return texts.get(kind)


def _unpacked(content: bytes) -> Iterator[bytes]:
    yield content
    if content[:2] == b"\x1f\x8b":
        yield from _unpacked(gzip.decompress(content))
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from _unpacked(archive.read(name))
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            yield repr(image.info).encode()
    for encoded in ENCODED.findall(content) if b"base64," in content else ():
        try:
            yield from _unpacked(base64.b64decode(encoded))
        except (binascii.Error, ValueError):
            continue
