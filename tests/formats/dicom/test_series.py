from __future__ import annotations

import io
import logging
import shutil
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ComputedRadiographyImageStorage, MRImageStorage, XRayAngiographicImageStorage

from common.errors import DatasetError
from common.formats.dicom import find_series, read_series
from common.formats.dicom.files import is_dicom, read_slice_pixels
from common.formats.series import list_slices
from common.phantoms.writing.dicom_writer import write_slice
from tests.fuzz.readers.dicom import SYNTAXES, save, write_syntax
from tests.marked_dicom import find_marks, write_raw

Writer = Callable[..., Path]

NAME = "Doe^Jane"
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def told(folder: Path) -> str:
    with pytest.raises(DatasetError) as error:
        read_series(folder)
    return str(error.value)


def patch_bytes(folder: Path, old: bytes, new: bytes) -> None:
    """Change an element of every file, its length kept."""
    assert len(old) == len(new)
    for path in folder.glob("*.dcm"):
        content = path.read_bytes()
        assert content.count(old) == 1
        path.write_bytes(content.replace(old, new))


def test_order_is_by_position_not_by_name(tmp_path: Path, write_series: Writer) -> None:
    volume = read_series(write_series(tmp_path / "a", [3, 0, 4, 1, 2]))
    assert volume.array.shape == (7, 6, 5)
    assert volume.array.dtype == np.float32
    assert volume.array[3, 3].tolist() == [0, 1, 2, 3, 4]
    assert volume.array[0, 0].tolist() == [100, 101, 102, 103, 104]


def test_geometry_is_told_in_ras(tmp_path: Path, write_series: Writer) -> None:
    volume = read_series(write_series(tmp_path / "a", [30, 33, 36]))
    assert volume.spacing == (0.5, 0.75, 3.0)
    expected = [[-0.5, 0, 0, -10], [0, -0.75, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.affine, expected, atol=1e-6)


def test_slices_of_another_plane(tmp_path: Path) -> None:
    for number, x in enumerate((4.0, 0.0, 2.0)):
        pixels = np.full((6, 7), number, np.int16)
        write_slice(tmp_path / f"{number}.dcm", pixels, (x, 5.0, 9.0), (1.0, 1.5), "s", orientation=SAGITTAL)
    series = find_series(tmp_path)
    assert series.plane == "sagittal"
    assert series.spacing == (1.0, 1.5, 2.0)
    # A column's index grows to the back (LPS y), a row's downwards; the normal of these points to the right.
    assert [Path(file).stem for file in series.files] == ["0", "2", "1"]
    np.testing.assert_allclose(series.affine @ [1, 2, 1, 1], [-2, -6, 6, 1], atol=1e-6)


def test_one_slice_has_its_thickness(tmp_path: Path, write_series: Writer) -> None:
    assert read_series(write_series(tmp_path / "a", [5], thickness=4.0)).spacing == (0.5, 0.75, 4.0)


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000"])
def test_compressed_pixels_are_the_same(tmp_path: Path, write_series: Writer, compression: str) -> None:
    plain = read_series(write_series(tmp_path / "a", size=(40, 32)))
    packed = read_series(write_series(tmp_path / "b", size=(40, 32), compression=compression))
    np.testing.assert_array_equal(plain.array, packed.array)
    (first, *_) = sorted((tmp_path / "b").iterdir())
    assert b"1.2.840.10008.1.2.4." in first.read_bytes()


def test_run_lengths_are_decoded(tmp_path: Path, write_series: Writer) -> None:
    """ITK writes no RLE, so a JPEG file's pixels and transfer syntax are replaced (PS3.5, annex G)."""
    folder = write_series(tmp_path / "a", [3], size=(16, 16), compression="jpeg")
    (path,) = folder.iterdir()
    wanted = read_series(folder).array
    content = path.read_bytes()
    content = content.replace(b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.5\0")
    content = content.replace(b"\x02\x00\x10\x00UI\x16\x00", b"\x02\x00\x10\x00UI\x14\x00")
    length_at = content.index(b"\x02\x00\x00\x00UL\x04\x00") + 8
    length = int.from_bytes(content[length_at : length_at + 4], "little") - 2
    content = content[:length_at] + length.to_bytes(4, "little") + content[length_at + 4 :]
    header = content[: content.index(b"\xe0\x7f\x10\x00")]
    path.write_bytes(header + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + run_lengths(wanted[:, :, 0].T))
    np.testing.assert_array_equal(read_series(folder).array, wanted)


def run_lengths(pixels: np.ndarray) -> bytes:
    """An offset table, one frame of two planes (high and low bytes) in literal runs of 128, and the end."""
    planes = pixels.astype(">u2").tobytes()
    segments = [
        b"".join(b"\x7f" + plane[start : start + 128] for start in range(0, len(plane), 128))
        for plane in (planes[0::2], planes[1::2])
    ]
    numbers = [2, 64, 64 + len(segments[0]), *[0] * 13]
    frame = b"".join(number.to_bytes(4, "little") for number in numbers) + b"".join(segments)
    item = b"\xfe\xff\x00\xe0"
    return item + bytes(4) + item + len(frame).to_bytes(4, "little") + frame + b"\xfe\xff\xdd\xe0" + bytes(4)


def test_slope_and_intercept_are_applied(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", range(3))
    patch_bytes(folder, b"\x28\x00\x52\x10\x02\x00\x00\x000 ", b"\x28\x00\x52\x10\x02\x00\x00\x00-5")
    patch_bytes(folder, b"\x28\x00\x53\x10\x02\x00\x00\x001 ", b"\x28\x00\x53\x10\x02\x00\x00\x003 ")
    assert read_series(folder).array[3, 3].tolist() == [-5, -2, 1]


def test_monochrome1_is_inverted(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", range(3))
    patch_bytes(folder, b"MONOCHROME2", b"MONOCHROME1")
    array = read_series(folder).array
    assert np.diff(array[3, 3]).tolist() == [-1, -1]
    assert (array[3, 3] - array[0, 0]).tolist() == [100, 100, 100]


def test_other_files_and_copies_are_left_alone_and_counted(
    tmp_path: Path, write_series: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_series(tmp_path / "a")
    (folder / "notes.txt").write_text("nothing")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(2000))
    (folder / ".hidden").write_bytes(b"x")
    shutil.copy(folder / "Image-2.dcm", folder / "copy.dcm")
    with caplog.at_level(logging.INFO):
        series = find_series(folder)
    assert (len(series.files), series.copies, series.others) == (5, 1, 2)
    assert "2 files are not DICOM images, 1 are copies" in caplog.text


def test_the_same_image_under_a_new_id_is_a_copy(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a")
    write_series(folder, [2], number=77, series="a")
    assert find_series(folder).copies == 1


def test_two_images_at_one_position(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a")
    write_slice(folder / "x.dcm", np.ones((6, 7), np.int16), (10, -20, 2), (0.5, 0.75), "a", number=9)
    assert "1 of its positions are taken by more than one image" in told(folder)


def test_missing_slices(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", [0, 1, 2, 5, 6, 8])
    assert "3 slices are missing (of 6 that are there)" in told(folder)
    series = find_series(folder, need_regular=False)
    assert (len(series.files), series.missing) == (6, 3)


def test_uneven_slices(tmp_path: Path, write_series: Writer) -> None:
    assert "unevenly spaced" in told(write_series(tmp_path / "a", [0, 1, 2, 3.4, 4.4, 5.4]))
    assert find_series(write_series(tmp_path / "b", [0, 1, 2.01, 3, 4])).missing == 0


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_slices_side_by_side_are_no_stack(tmp_path: Path, noise: float) -> None:
    for number in range(4):
        write_slice(tmp_path / f"{number}.dcm", np.zeros((6, 7), np.int16), (number, 0, number * noise), (1, 1), "s")
    what = "of its 4 slices, 3 lie at the height of another one"
    for read in (find_series, list_slices):
        with pytest.raises(DatasetError, match=what):
            read(tmp_path)


def test_everything_that_is_mixed_is_told_at_once(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a")
    write_series(folder, [20, 21], series="other", size=(9, 6), orientation=SAGITTAL, spacing=(1.0, 1.0))
    message = told(folder)
    for expected in (
        "holds 2 series (5, 2 files)",
        "differ in size (5 of 7x6, 2 of 9x6)",
        "in 2 orientations (5, 2 slices)",
        "2 pixel sizes",
    ):
        assert expected in message


def test_truncated_files_are_all_named(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", size=(40, 40))
    for number, length in ((2, 400), (4, -2)):
        path = folder / f"Image-{number}.dcm"
        path.write_bytes(path.read_bytes()[:length])
    message = told(folder)
    assert "Image-2.dcm" in message
    assert "Image-4.dcm" in message
    assert "truncated, damaged" in message


def test_colour_and_several_frames(tmp_path: Path) -> None:
    import itk

    for name, image in (
        ("frames", itk.image_from_array(np.zeros((5, 48, 64), np.uint8))),
        ("colour", itk.image_from_array(np.zeros((48, 64, 3), np.uint8), is_vector=True)),
    ):
        (tmp_path / name).mkdir()
        writer = itk.ImageFileWriter.New(image, FileName=str(tmp_path / name / "a.dcm"))
        writer.SetImageIO(itk.GDCMImageIO.New())
        writer.Update()
    assert "hold several frames" in told(tmp_path / "frames")
    assert "in colour" in told(tmp_path / "colour")


@pytest.mark.parametrize("group", [b"\x32\x00", b"\x37\x00"])
def test_slices_without_a_position(tmp_path: Path, write_series: Writer, group: bytes) -> None:
    folder = write_series(tmp_path / "a")
    patch_bytes(folder, b"\x20\x00" + group, b"\x21\x00" + group)
    assert "have no position or orientation" in told(folder)


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageOrientationPatient": b""},
        {"ImageOrientationPatient": b"ZQMARKED"},
        {"ImageOrientationPatient": b"0\\1\\0\\0\\0 "},
        {"ImageOrientationPatient": b"0\\1\\0\\0\\0\\nan "},
        {"ImageOrientationPatient": b"0\\0\\0\\0\\0\\0 "},
        {"ImageOrientationPatient": b"0\\0.9\\0.1\\0\\0\\-1 "},
        {"ImagePositionPatient": b""},
        {"ImagePositionPatient": b"1\\2 "},
        {"ImagePositionPatient": b"1\\2\\1e999 "},
    ],
    ids=str,
)
def test_slices_whose_position_is_no_position(tmp_path: Path, write_series: Writer, elements: dict[str, bytes]) -> None:
    """GDCM would read a sagittal stack as an axial one, and all slices at one place."""
    folder = write_series(tmp_path / "a", orientation=SAGITTAL)
    for path in folder.iterdir():
        write_raw(path, elements)
    with pytest.raises(DatasetError, match="have no position or orientation, so they have no order") as error:
        find_series(folder, need_regular=False)
    assert "ZQMARKED" not in str(error.value)


def test_no_folder_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert "no such folder" in told(tmp_path / "none")
    assert "is a file" in told(tmp_path / "a.txt")
    assert "holds no DICOM image; it holds a.txt" in told(tmp_path)


def test_what_begins_as_dicom(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", [0])
    (tmp_path / "short").write_bytes(b"DICM")
    assert is_dicom(folder / "Image-1.dcm")
    assert not is_dicom(tmp_path / "short")


def test_files_without_the_preamble_are_read(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", range(3))
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[132:])
    assert read_series(folder).array[3, 3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("length", [0, 100, 132, 150, 600, 800, 1500, -100])
def test_no_truncated_slice_is_taken_for_another_file(tmp_path: Path, write_series: Writer, length: int) -> None:
    folder = write_series(tmp_path / "a", size=(40, 40))
    path = folder / "Image-5.dcm"
    path.write_bytes(path.read_bytes()[:length])
    assert "Image-5.dcm: the DICOM file is truncated" in told(folder)


def test_no_name_of_a_person_leaves_the_reader(
    tmp_path: Path, write_series: Writer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    tags = {"0010|0010": NAME, "0010|0020": "PID4711", "0008|0090": "Dr^Who", "0010|0030": "19660101"}
    sound = write_series(tmp_path / "sound", tags=tags)
    cut = write_series(tmp_path / "cut", tags=tags)
    (cut / "Image-1.dcm").write_bytes((cut / "Image-1.dcm").read_bytes()[:-4])
    mixed = write_series(write_series(tmp_path / "mixed", tags=tags), [9], series="other", tags=tags)
    gapped = write_series(tmp_path / "gapped", [0, 1, 2, 5], tags=tags)
    with caplog.at_level(logging.DEBUG), redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        everything = [repr(read_series(sound)), repr(find_series(sound)), *map(told, (cut, mixed, gapped))]
    everything += [out.getvalue(), err.getvalue(), caplog.text, *capfd.readouterr()]
    assert NAME.encode() in (sound / "Image-1.dcm").read_bytes()
    for secret in (NAME, "Jane", "PID4711", "Dr^Who", "19660101"):
        assert not any(secret in text for text in everything)


def test_no_name_is_in_the_traceback_of_a_broken_file(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", tags={"0010|0010": NAME})
    (folder / "Image-1.dcm").write_bytes((folder / "Image-1.dcm").read_bytes()[:-4])
    try:
        read_series(folder)
    except DatasetError:
        assert NAME not in traceback.format_exc()
        assert "itk" not in traceback.format_exc()


def test_real(realdata: Path) -> None:
    import itk

    folder = realdata / "dicom" / "t1_defaced"
    volume = read_series(folder)
    assert volume.array.shape == (274, 384, 96)
    np.testing.assert_array_equal(volume.array, itk.array_from_image(itk.imread(str(folder))).transpose(2, 1, 0))
    np.testing.assert_allclose(volume.spacing, (0.699988, 0.666667, 0.666667), atol=1e-5)


def test_pixels_that_are_lacking_are_not_made_up(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a", size=(40, 32))
    path = sorted(folder.iterdir())[1]
    content = path.read_bytes()
    start = content.rindex(b"\xe0\x7f\x10\x00") + 8
    assert len(content) == start + 2560
    for kept in (2558, 100, 0):
        path.write_bytes(content[: start - 4] + kept.to_bytes(4, "little") + content[start:][:kept])
        message = told(folder)
        assert path.name in message
        assert "last pixel" in message or "truncated" in message


def test_padding_is_background(tmp_path: Path, write_series: Writer) -> None:
    plain = read_series(write_series(tmp_path / "a")).array
    padded = read_series(write_series(tmp_path / "b", tags={"0028|0120": "100", "0028|0121": "102"})).array
    expected = plain.copy()
    expected[0, 0, :3] = [0, 1, 2]  # 100 + the height of the slice, all else its height
    np.testing.assert_array_equal(padded, expected)


@pytest.mark.parametrize("value", [b"", bytes(4), b"ZQMARKED"])
def test_padding_that_cannot_be_read_is_none(tmp_path: Path, write_series: Writer, value: bytes) -> None:
    folder = write_series(tmp_path / "a")
    plain = read_series(folder).array
    for path in folder.iterdir():
        write_raw(path, {"PixelPaddingValue": value})
    np.testing.assert_array_equal(read_series(folder).array, plain)
    for path in folder.iterdir():
        write_raw(path, {"PixelPaddingValue": b"\x64\x00", "PixelPaddingRangeLimit": value})
    assert read_series(folder).array[0, 0].tolist() == [0, 101, 102, 103, 104]


@pytest.mark.parametrize(
    "elements",
    [
        {"Rows": b"ZQMARKED"},
        {"BitsAllocated": bytes(4)},
        {"BitsStored": b"", "PixelRepresentation": bytes(2)},
        {"BitsStored": b"\xff\xff", "PixelRepresentation": bytes(2)},
    ],
    ids=str,
)
def test_a_layout_that_cannot_be_read(tmp_path: Path, write_series: Writer, elements: dict[str, bytes]) -> None:
    path = write_series(tmp_path / "a", [3]) / "Image-1.dcm"
    patch_bytes(path.parent, b"MONOCHROME2", b"MONOCHROME1")
    write_raw(path, {"PixelPaddingValue": b"\x64\x00", **elements})
    with pytest.raises(DatasetError) as error:
        read_slice_pixels(path)
    told = "".join(traceback.format_exception(error.value))
    assert f"{path}: the DICOM file is truncated, damaged" in told
    assert "During handling" not in told
    assert not find_marks(told.encode())


def test_a_volume_needs_the_size_of_its_pixels_and_single_slices_do_not(tmp_path: Path, write_series: Writer) -> None:
    folder = write_series(tmp_path / "a")
    patch_bytes(folder, b"\x28\x00\x30\x00", b"\x28\x00\x31\x00")
    assert "size of their pixels" in told(folder)
    assert len(find_series(folder, need_regular=False).files) == 5


@pytest.mark.parametrize("syntax", SYNTAXES[:4])
def test_a_cut_slice_is_told_in_every_transfer_syntax(tmp_path: Path, syntax: str) -> None:
    # make fuzz, seed 0: dicom 481, 572; GDCM does not read the header of a cut big-endian file, and the slice was lost
    series = write_syntax(tmp_path, np.random.default_rng(0), syntax)
    for content in series.slices:
        content.ImageComments = "".join(map(chr, np.random.default_rng(0).integers(65, 90, 2000)))
    save(series, np.random.default_rng(0))
    assert len(find_series(series.folder).files) == len(series.slices)
    last = series.files()[-1]
    last.write_bytes(last.read_bytes()[:-20])
    assert str(last) in told(series.folder)


@pytest.mark.parametrize(
    ("about", "what"), [({"spacing": (1e-9, 1e-9)}, "voxels of"), ({"spacing": (1e9, 1)}, "voxels of")]
)
def test_pixels_of_an_absurd_size(write_series: Writer, tmp_path: Path, about: dict, what: str) -> None:
    # make fuzz, seed 0: dicom 549
    assert what in told(write_series(tmp_path / "series", **about))


def test_a_position_beyond_all_scanners(write_series: Writer, tmp_path: Path) -> None:
    assert "mm away" in told(write_series(tmp_path / "series", position=(0.0, 1e30, 0.0)))


@pytest.mark.parametrize("spacing", [(0.0, 0.0), (-1.0, 1.0)])
def test_pixels_without_a_size_are_refused_where_millimetres_matter(
    tmp_path: Path, write_series: Writer, spacing: tuple[float, float]
) -> None:
    """GDCM would read a size of 0 as 1 mm."""
    for path in write_series(tmp_path / "a", range(3)).iterdir():
        image = pydicom.dcmread(path)
        image.PixelSpacing = list(spacing)
        image.save_as(path)
    assert "do not tell the size of their pixels" in told(tmp_path / "a")
    assert len(find_series(tmp_path / "a", need_regular=False).files) == 3


@pytest.mark.parametrize("kind", [MRImageStorage, ComputedRadiographyImageStorage, XRayAngiographicImageStorage])
def test_pixels_have_the_size_that_the_file_tells(tmp_path: Path, write_series: Writer, kind: str) -> None:
    """GDCM reads it in some classes of images alone, and takes 1 mm in others."""
    for path in write_series(tmp_path / "a", range(3)).iterdir():
        image = pydicom.dcmread(path)
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = kind
        image.save_as(path)
    assert read_series(tmp_path / "a").spacing == (0.5, 0.75, 1.0)


def test_a_rescale_slope_beyond_all_numbers(tmp_path: Path) -> None:
    # make fuzz, seed 1: dicom 206, 207, 245, 252; the pixels came as infinite
    series = write_syntax(tmp_path, np.random.default_rng(0), SYNTAXES[0])
    for content in series.slices:
        content.RescaleIntercept = "0"
        element = pydicom.DataElement(0x00281053, "DS", None)
        element._value = "1e400"
        content[0x00281053] = element
    save(series, np.random.default_rng(0))
    assert "not finite once they are rescaled" in told(series.folder)


def test_a_damaged_jpeg_of_which_the_decoder_only_warns(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # make fuzz, seed 1: dicom 110; libjpeg fills up the rest of the slice
    series = write_syntax(tmp_path, np.random.default_rng(0), "jpeg")
    np.testing.assert_array_equal(read_series(series.folder).array, series.stack)
    path = series.files()[1]
    data = bytearray(path.read_bytes())
    middle = (data.rfind(b"\xff\xda") + data.rfind(b"\xff\xd9")) // 2
    data[middle : middle + 2] = b"\xff\xd9"
    path.write_bytes(bytes(data))
    assert f"{path}: the DICOM file is truncated, damaged" in told(series.folder)
    assert capfd.readouterr().err == ""
