from __future__ import annotations

import numpy as np
import pytest

from common.formats.dicom.pixels import holds_all_pixels, without_padding

EXPLICIT, IMPLICIT, BIG, JPEG = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.70",
)
ICON = b"\xe0\x7f\x10\x00OB\0\0" + (16).to_bytes(4, "little") + bytes(16)


def element(syntax: str, length: int) -> bytes:
    if syntax == BIG:
        return b"\x7f\xe0\x00\x10OW\0\0" + length.to_bytes(4, "big")
    kind = b"" if syntax == IMPLICIT else b"OW\0\0"
    return b"\xe0\x7f\x10\x00" + kind + length.to_bytes(4, "little")


def make_file(syntax: str, told: int, there: int) -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    head = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    return head + (ICON if syntax == EXPLICIT else b"") + element(syntax, told) + bytes(there)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_the_length_that_is_told_and_the_bytes_that_are_there(syntax):
    assert holds_all_pixels(make_file(syntax, 200, 200), 200)
    assert holds_all_pixels(make_file(syntax, 200, 240), 200)  # padding after the last element
    assert not holds_all_pixels(make_file(syntax, 198, 198), 200)
    assert not holds_all_pixels(make_file(syntax, 200, 198), 200)
    assert not holds_all_pixels(make_file(syntax, 16, 16), 200)


def test_compressed_pixels_are_left_to_their_decoder():
    assert holds_all_pixels(make_file(JPEG, 10, 10), 200)


def test_padding_becomes_the_darkest_of_the_other_pixels():
    pixels = np.array([[63536, 5, 9], [63540, 7, 5]], np.float32)
    assert without_padding(pixels, 63536, 63536).tolist() == [[5, 5, 9], [63540, 7, 5]]
    assert without_padding(pixels, 63540, 63536).tolist() == [[5, 5, 9], [5, 7, 5]]
    assert without_padding(pixels, 1, 2) is pixels
    assert without_padding(np.full((2, 2), 4, np.float32), 4, 4).tolist() == [[0, 0], [0, 0]]
