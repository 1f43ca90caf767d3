"""What libjpeg says of damage is heard; what others say meanwhile is not lost."""

from __future__ import annotations

import os

import pytest

from common.formats.dicom.jpeg_warnings import hearing_libjpeg


def test_damage_is_heard_and_the_rest_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with hearing_libjpeg() as warned:
        os.write(2, b"Corrupt JPEG data: 7 extraneous bytes before marker 0xd9\nepoch 1: 30%\n")
        os.write(2, b"Warning: unknown JFIF revision number 2.01")
        assert warned == []
    os.write(2, b"\nafterwards\n")
    assert warned == ["Corrupt JPEG data: 7 extraneous bytes before marker 0xd9"]
    expected = "epoch 1: 30%\nWarning: unknown JFIF revision number 2.01\nafterwards\n"
    assert capfd.readouterr().err == expected


def test_what_was_said_before_an_error_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), hearing_libjpeg():
        os.write(2, b"a word\n")
        raise RuntimeError
    assert capfd.readouterr().err == "a word\n"


def test_a_closed_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        with hearing_libjpeg() as warned:
            pass
        with pytest.raises(OSError):
            os.fstat(2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert warned == []
