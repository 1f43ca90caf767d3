"""Hearing libjpeg, which decodes for GDCM: of damage it only warns, on the standard error, and fills up the rest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from common.formats.dicom.pixels import META_BYTES, TRANSFER_SYNTAX

JPEG = (b"1.2.840.10008.1.2.4.5", b"1.2.840.10008.1.2.4.6", b"1.2.840.10008.1.2.4.70")
"""How the transfer syntaxes begin that libjpeg decodes; not JPEG-LS and JPEG 2000."""

DAMAGE = (b"Corrupt JPEG data", b"Premature end of JPEG")
"""How its warnings of damage begin; others speak of what changes no pixel."""

STANDARD_ERROR = 2
HEARING = Lock()
"""The standard error is that of all threads."""


def is_jpeg(data: bytes) -> bool:
    """Whether a DICOM file's pixels are decoded by libjpeg."""
    found = TRANSFER_SYNTAX.search(data, 0, META_BYTES)
    return found is not None and found[1].startswith(JPEG)


@contextmanager
def hearing_libjpeg() -> Iterator[list[str]]:
    """Collect libjpeg's warnings of damage; whatever else is written meanwhile is passed on afterwards.

    Returns:
        A list that is filled when the context ends.
    """
    warned: list[str] = []
    with HEARING, tempfile.TemporaryFile() as heard:
        try:
            kept = os.dup(STANDARD_ERROR)
        except OSError:  # closed: there is nothing to be heard
            yield warned
            return
        os.dup2(heard.fileno(), STANDARD_ERROR)
        try:
            yield warned
        finally:
            os.dup2(kept, STANDARD_ERROR)
            os.close(kept)
            heard.seek(0)
            for line in heard:
                if line.startswith(DAMAGE):
                    warned.append(line.decode("ascii", "replace").strip())
                else:
                    with suppress(OSError):
                        os.write(STANDARD_ERROR, line)
