from __future__ import annotations

from pathlib import Path

from common.cohorts.identical_files import PIECE, find_identical_files, identical_pairs


def write(folder: Path, *contents: bytes) -> list[str]:
    paths = [folder / f"{place}.nii" for place in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return [str(path) for path in paths]


def test_each_later_file_is_paired_with_the_first_of_its_kind(tmp_path: Path) -> None:
    paths = write(tmp_path, b"a", b"b", b"a", b"b", b"a", b"c")
    assert list(identical_pairs(paths)) == [(0, 2), (1, 3), (0, 4)]


def test_files_that_are_alike_in_length_and_middle_are_compared_whole(tmp_path: Path) -> None:
    body = bytes(4 * PIECE)
    assert list(identical_pairs(write(tmp_path, b"a" + body, b"b" + body, b"a" + body))) == [(0, 2)]


def test_of_three_files_with_one_fingerprint_the_equal_ones_that_come_later_are_found(tmp_path: Path) -> None:
    """The first of the fingerprint is another file than the two that are equal."""
    body = bytes(4 * PIECE)
    assert list(identical_pairs(write(tmp_path, b"a" + body, b"b" + body, b"b" + body))) == [(1, 2)]


def test_what_cannot_be_read_equals_nothing(tmp_path: Path) -> None:
    (there,) = write(tmp_path, b"a")
    gone = str(tmp_path / "gone.nii")
    assert list(identical_pairs([gone, there, gone])) == []


def test_the_problem_names_both_patients_and_the_way_out(tmp_path: Path) -> None:
    first, later = write(tmp_path, b"a", b"a")
    ((name, problem),) = find_identical_files({"P1": first, "P2": later})
    assert name == "P2"
    assert all(word in str(problem) for word in ("P1", "P2", first, later, "--exclude P2"))
