from __future__ import annotations

import gzip
import re
import struct
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.errors import DatasetError
from common.formats.nifti import conflict_of_forms, read_header, read_nifti, save_like

AFFINE = np.array([[-1.5, 0, 0, 10], [0, -2, 0, 20], [0, 0, 3, -30], [0, 0, 0, 1]], dtype=float)
VOXELS = np.random.default_rng(0).integers(-900, 900, (17, 13, 11)).astype(np.int16)


def save(path: Path, voxels: np.ndarray = VOXELS, kind: type = nib.Nifti1Image) -> Path:
    nib.save(kind(voxels, AFFINE), path)
    return path


def refused(path: Path, reader=read_nifti) -> str:
    with pytest.raises(DatasetError) as caught:
        reader(path)
    (problem,) = caught.value.problems
    assert str(problem.where) == str(path)
    assert problem.hint
    return problem.what


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_voxels_affine_and_type_come_back_as_stored(tmp_path: Path, name: str, kind: type) -> None:
    path = save(tmp_path / name, kind=kind)
    volume = read_nifti(path)
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, VOXELS)
    np.testing.assert_array_equal(volume.affine, AFFINE)
    header = read_header(path)
    assert header.shape == VOXELS.shape
    np.testing.assert_array_equal(header.affine, AFFINE)


def test_the_other_byte_order(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE, nib.Nifti1Header(endianness=">"))
    nib.save(image, tmp_path / "big.nii.gz")
    np.testing.assert_array_equal(read_nifti(tmp_path / "big.nii.gz").array, VOXELS)
    assert read_header(tmp_path / "big.nii.gz").shape == VOXELS.shape


def test_compression_is_known_by_the_content_not_by_the_name(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.nii").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(plain)
    (tmp_path / "b.nii").write_bytes(gzip.compress(plain))
    for name in ("a.nii.gz", "b.nii"):
        np.testing.assert_array_equal(read_nifti(tmp_path / name).array, VOXELS)


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.nii").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(plain[:1000]) + gzip.compress(plain[1000:]))
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii.gz").array, VOXELS)


def test_scale_factor_and_offset_are_applied(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<ff", 0.5, 3.0)  # scl_slope and scl_inter
    path.write_bytes(data)
    np.testing.assert_array_equal(read_nifti(path).array, VOXELS * 0.5 + 3)


def test_a_header_extension_of_many_kilobytes(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 20_000))
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii.gz").array, VOXELS)
    assert read_header(tmp_path / "a.nii.gz").shape == VOXELS.shape


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_compressed_file(tmp_path: Path, share: float) -> None:
    path = save(tmp_path / "a.nii.gz")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("lost", [1, 8, 12])
def test_a_compressed_file_without_the_end_of_its_trailer(tmp_path: Path, lost: int) -> None:
    path = save(tmp_path / "a.nii.gz")
    path.write_bytes(path.read_bytes()[:-lost])
    assert "truncated" in refused(path)


def test_a_wrong_checksum(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    assert "damaged" in refused(path)


@pytest.mark.parametrize("kept", [352, 353, -1])
def test_a_file_that_ends_before_its_last_voxel(tmp_path: Path, kept: int) -> None:
    path = save(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes()[:kept])
    assert refused(path) == "the file ends before its last voxel"


def test_a_header_that_promises_petabytes_asks_for_no_memory(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[40:48] = struct.pack("<4h", 3, 32767, 32767, 32767)  # dim
    path.write_bytes(data)
    assert refused(path).startswith("claims 32767 x 32767 x 32767 voxels")


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_what_is_no_nifti(tmp_path: Path, reader) -> None:
    for name, content in (("page.nii.gz", b"<html>404</html>"), ("b.nii", b"\0" * 400), ("c.nii.gz", b"ab")):
        path = tmp_path / name
        path.write_bytes(content)
        assert refused(path, reader) == "the file is not NIfTI"
    path.write_bytes(gzip.compress(b"not an image at all" * 40))
    assert refused(path, reader) == "the file is not NIfTI"


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_empty_files(tmp_path: Path, reader) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"")
    assert refused(path, reader) == "the file is empty"
    path.write_bytes(gzip.compress(b""))
    assert refused(path, reader) == "the file is empty"


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_no_file_and_a_folder(tmp_path: Path, reader) -> None:
    assert refused(tmp_path / "a.nii.gz", reader) == "the file does not exist"
    assert "read" in refused(tmp_path, reader)


@pytest.mark.parametrize("reader", [read_nifti, read_header])
@pytest.mark.parametrize("kept", [4, 200, 347])
def test_a_cut_header(tmp_path: Path, reader, kept: int) -> None:
    path = save(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes()[:kept])
    assert "header" in refused(path, reader)


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_an_affine_that_is_not_finite(tmp_path: Path, reader) -> None:
    path = save(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[280:284] = struct.pack("<f", np.nan)  # srow_x
    path.write_bytes(data)
    assert "not finite" in refused(path, reader)


@pytest.mark.parametrize("reader", [read_nifti, read_header])
@pytest.mark.parametrize(("offset", "content"), [(70, struct.pack("<h", 12345)), (344, b"abc\0"), (42, b"\xff\xff")])
def test_a_damaged_header(tmp_path: Path, reader, offset: int, content: bytes) -> None:
    """An unknown type of voxels; a wrong magic string; an axis of -1 voxels."""
    path = save(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[offset : offset + len(content)] = content
    path.write_bytes(data)
    assert "damaged" in refused(path, reader)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_an_offset_of_zero_means_behind_the_header(tmp_path: Path, kind: type, name: str) -> None:
    data = bytearray(kind(VOXELS, AFFINE).to_bytes())
    place, none = (108, struct.pack("<f", 0)) if kind is nib.Nifti1Image else (168, struct.pack("<q", 0))
    data[place : place + len(none)] = none
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    np.testing.assert_array_equal(read_nifti(tmp_path / name).array, VOXELS)
    assert read_header(tmp_path / name).dataobj.offset == kind.header_class.single_vox_offset
    (tmp_path / name).write_bytes(data[:-1])
    assert refused(tmp_path / name) == "the file ends before its last voxel"


@pytest.mark.parametrize(
    ("shape", "read"), [((17, 13, 11, 1), VOXELS.shape), ((17, 13, 11, 1, 1), VOXELS.shape), ((17, 13, 1, 11), None)]
)
def test_axes_of_length_one_after_the_third_are_dropped(
    tmp_path: Path, shape: tuple[int, ...], read: tuple[int, ...] | None
) -> None:
    path = save(tmp_path / "a.nii.gz", VOXELS.reshape(shape, order="F"))
    assert read_header(path).shape == (read or shape)
    np.testing.assert_array_equal(read_nifti(path).array, VOXELS.reshape(read or shape, order="F"))


def patched(path: Path, field: str, value: object) -> Path:
    """The file with another value in a field of its header."""
    kind, place = nib.Nifti1Header.template_dtype.fields[field][:2]
    content = np.asarray(value).astype(kind.base).tobytes()
    data = bytearray(path.read_bytes())
    data[place : place + len(content)] = content
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_voxels_without_a_size(tmp_path: Path, reader) -> None:
    # make fuzz, seed 0: nifti 441, nifti_gz 36; nibabel makes 1 mm of it
    image = nib.Nifti1Image(VOXELS, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.set_sform(None, 0)
    nib.save(image, tmp_path / "a.nii")
    assert "does not tell the size of its voxels" in refused(
        patched(tmp_path / "a.nii", "pixdim", [1, 2, 0, 2, 0, 0, 0, 0]), reader
    )


def test_sizes_of_voxels_are_not_looked_at_where_an_sform_tells_them(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii")
    affine = read_nifti(path).affine
    assert np.array_equal(read_nifti(patched(path, "pixdim", [0] * 8)).affine, affine)


@pytest.mark.parametrize(
    ("axes", "what"),
    [
        (np.diag([1, 1, 1e-40]), "voxels of 1 x 1 x 1e-40 mm"),  # nifti 543
        (np.diag([1e30, 1, 1]), r"voxels of 1e\+30 x 1 x 1 mm"),
        (np.array([[1, 1, 0], [0, 1e-5, 0], [0, 0, 1]]), "singular"),  # nifti_gz 384, nifti 202
    ],
)
def test_an_affine_that_measures_nothing(tmp_path: Path, axes: np.ndarray, what: str) -> None:
    affine = np.eye(4)
    affine[:3, :3] = axes
    save(tmp_path / "a.nii")
    for row, field in zip(affine, ("srow_x", "srow_y", "srow_z"), strict=False):
        patched(tmp_path / "a.nii", field, row)
    assert re.search(what, refused(tmp_path / "a.nii"))


def test_an_offset_that_is_no_number(tmp_path: Path) -> None:
    # make fuzz, seed 0: nifti 52
    assert "header is damaged" in refused(patched(save(tmp_path / "a.nii"), "vox_offset", np.inf))


def test_a_qform_that_is_no_rotation_is_told(tmp_path: Path) -> None:
    # make fuzz, seed 0: nifti 26, nifti_gz 29
    path = save(tmp_path / "a.nii")
    for field, value in (("qform_code", 1), ("sform_code", 1), ("quatern_b", 3.0)):
        patched(path, field, value)
    assert conflict_of_forms(read_header(path).header) == "its qform is no rotation"


def test_nibabel_does_not_speak_of_what_it_repairs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # make fuzz, seed 0: nifti 239
    read_nifti(patched(save(tmp_path / "a.nii"), "qform_code", 8))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("field", "value", "what"), [("srow_x", [1, 0, 0, 1e30], "mm away")])
def test_an_origin_beyond_all_scanners(tmp_path: Path, field: str, value: list[float], what: str) -> None:
    assert what in refused(patched(save(tmp_path / "a.nii"), field, value))


def test_a_qform_beyond_all_numbers_is_told_without_a_warning(tmp_path: Path) -> None:
    # make fuzz, seed 0: nifti 449, nifti_gz 605
    path = save(tmp_path / "a.nii")
    for field, value in (("qform_code", 1), ("pixdim", [1, 3e38, 3e38, 3e38, 0, 0, 0, 0]), ("qoffset_x", 3e38)):
        patched(path, field, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "mm apart" in str(conflict_of_forms(read_header(path).header))


@pytest.mark.parametrize("reader", [read_nifti, read_header])
@pytest.mark.parametrize(
    ("field", "value"), [("pixdim", [1, np.inf, 1, 2e9, 0, 0, 0, 0]), ("quatern_c", np.nan), ("qoffset_z", -np.inf)]
)
def test_a_qform_that_is_not_finite(tmp_path: Path, reader, field: str, value: object) -> None:
    # make fuzz, seed 1: nifti_gz 187; the affine of the sform was taken, and NumPy warned of the other
    path = patched(save(tmp_path / "a.nii"), field, value)
    read_nifti(path)  # its code says that there is none
    assert refused(patched(path, "qform_code", 1), reader) == "its qform holds values that are not finite"


def test_what_is_no_part_of_a_qform_may_be_any_number(tmp_path: Path) -> None:
    path = patched(save(tmp_path / "a.nii"), "qform_code", 1)
    assert read_nifti(patched(path, "pixdim", [1, 1.5, 2, 3, np.nan, np.inf, 0, 0])).array.shape == VOXELS.shape


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_no_text_of_a_header_is_carried_over(tmp_path: Path, kind: type) -> None:
    source = kind(VOXELS, AFFINE)
    kinds = {name: source.header[name].dtype for name in source.header if name != "magic"}
    fields = [name for name, stored in kinds.items() if stored.kind == "S" and stored.itemsize > 1]
    assert {"descrip", "aux_file", "intent_name"} < set(fields)
    for field in fields:
        source.header[field] = b"DOE^JANE"
    source.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE, born 1950"))
    nib.save(source, tmp_path / "source.nii.gz")
    assert gzip.decompress((tmp_path / "source.nii.gz").read_bytes()).count(b"DOE^") == len(fields) + 1
    header = read_header(tmp_path / "source.nii.gz")
    save_like(tmp_path / "out.nii.gz", VOXELS, header, "ours")
    written = (tmp_path / "out.nii.gz").read_bytes()
    assert b"DOE^" not in gzip.decompress(written) and b"DOE^" not in written
    assert nib.load(tmp_path / "out.nii.gz").header["descrip"].item() == b"ours"


@pytest.mark.parametrize(("unit", "per_mm"), [("meter", 1e-3), ("micron", 1e3)])
def test_a_header_in_another_unit_than_millimetres_is_refused(tmp_path, unit, per_mm):
    image = nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.diag([per_mm] * 3 + [1.0]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "scan.nii.gz")
    with pytest.raises(DatasetError, match=r"voxels of (0\.001 x 0\.001 x 0\.001|1e\+03 x 1e\+03 x 1e\+03) mm"):
        read_nifti(tmp_path / "scan.nii.gz")


def test_a_sheared_affine_is_written_without_a_qform_that_says_something_else(tmp_path):
    affine = np.array([[1, 0.3, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    source = nib.Nifti1Image(np.zeros((40, 40, 4), np.int16), affine)
    save_like(tmp_path / "mask.nii", np.ones((40, 40, 4), np.uint8), source, "mask")
    header = nib.load(tmp_path / "mask.nii").header
    assert (int(header["qform_code"]), conflict_of_forms(header)) == (0, None)
    np.testing.assert_allclose(header.get_sform(), affine, atol=1e-6)
