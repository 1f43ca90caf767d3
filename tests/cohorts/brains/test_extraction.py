from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.cohorts import add_brain_masks
from common.cohorts.brains.extraction import unmasked_heads
from common.errors import DatasetError, KnobError
from tests.facts import in_order

Writer = Callable[..., Path]

PYTHON = sys.executable
PSR = np.array([[0, 0, 2.0, -8], [-3, 0, 0, 9], [0, 4, 0, -7], [0, 0, 0, 1]])
FAKE = """#!{python}
import sys
from pathlib import Path
import nibabel as nib
import numpy as np

words = sys.argv[1:]
given, found = (Path(words[words.index(word) + 1]) for word in ("-i", "-o"))
Path({log!r}).open("a").write(" ".join(words[words.index("-device"):]) + "\\n")
if {fails!r}:
    sys.exit("out of memory")
found.mkdir()
for path in given.iterdir():
    image = nib.load(path)
    if nib.aff2axcodes(image.affine) != ("R", "A", "S"):
        sys.exit("no MNI orientation")
    brain = (np.asarray(image.dataobj) > 100).astype(np.uint8)
    nib.save(nib.Nifti1Image(brain, image.affine), found / path.name.replace(".nii.gz", "_bet.nii.gz"))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a command hd-bet beside Python that takes the brightest half for brain; returns the log of its calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr("common.cohorts.brains.extraction.has_deepbet", lambda: False)
    monkeypatch.setattr("common.cohorts.brains.hd_bet.sys.executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder))

    def write(fails: bool = False) -> Path:
        log = tmp_path / "calls.txt"
        command = folder / "hd-bet"
        text = FAKE.format(python=PYTHON, log=str(log), fails=fails)
        command.write_text(text)
        command.chmod(command.stat().st_mode | stat.S_IEXEC)
        return log

    return write


@pytest.fixture
def head(write_volume: Writer, tmp_path: Path) -> dict[str, str]:
    """A record of a noisy head, PSR, whose brain is bright."""
    return {"subject": "a", "source": "ixi", "t1ce": str(write_volume(tmp_path / "a.nii.gz", voxels(), PSR))}


def voxels() -> np.ndarray:
    array = np.random.default_rng(0).integers(1, 20, (6, 5, 4)).astype(np.int16)
    array[1:3, 2:4, 1:2] = 500
    return array


def test_hd_bet_is_asked_once_and_its_masks_lie_on_the_file(
    install: Callable[..., Path], head: dict[str, str], tmp_path: Path
) -> None:
    log = install()
    for _ in range(2):
        (record,) = add_brain_masks([head], tmp_path / "cache")
    mask = nib.load(record["brain_mask"])
    np.testing.assert_array_equal(np.asarray(mask.dataobj), voxels() > 100)
    np.testing.assert_array_equal(mask.affine, PSR)
    assert Path(record["brain_mask"]).parent == tmp_path / "cache" / "brains"
    (call,) = log.read_text().splitlines()
    assert "--save_bet_mask --no_bet_image" in call
    assert [path.name for path in (tmp_path / "cache" / "brains").iterdir()] == [Path(record["brain_mask"]).name]


def test_nothing_to_extract(install: Callable[..., Path], write_volume: Writer, tmp_path: Path) -> None:
    log = install()
    stripped = np.zeros((6, 5, 4), np.int16)
    stripped[2:4, 2:3, 1:3] = 9
    records = [
        {"subject": "beside", "source": "ixi", "t1ce": "unread.nii.gz", "brain_mask": "mask.nii.gz"},
        {"subject": "brats", "source": "brats2019", "t1ce": "unread.nii.gz"},
        {"subject": "stripped", "source": "datalist", "t1ce": str(write_volume(tmp_path / "s.nii.gz", stripped))},
    ]
    for _ in range(2):
        assert add_brain_masks(records, tmp_path / "cache") == records
    assert not log.exists()
    assert [path.suffix for path in (tmp_path / "cache" / "brains").iterdir()] == [".stripped"]


def test_one_message_names_all_heads_without_a_brain(
    install: Callable[..., Path], write_volume: Writer, head: dict[str, str], tmp_path: Path
) -> None:
    other = {"subject": "b", "source": "ixi", "t1ce": str(write_volume(tmp_path / "b.nii.gz"))}
    assert unmasked_heads([head, other]) == [head["t1ce"], other["t1ce"]]
    with pytest.raises(DatasetError) as error:
        add_brain_masks([head, other], tmp_path / "cache")
    (problem,) = error.value.problems
    assert in_order(problem.what, "2 volumes", "without a brain mask", "a.nii.gz, b.nii.gz")
    assert in_order(problem.hint, "pip install -e .[hd-bet]", "pip install -e .[deepbet]")
    assert add_brain_masks([head, other], tmp_path / "cache", tool="none") == [head, other]


def test_masks_beside_images_are_not_used_where_hd_bet_is_wanted(
    install: Callable[..., Path], head: dict[str, str], tmp_path: Path
) -> None:
    install()
    (record,) = add_brain_masks([{**head, "brain_mask": "other.nii.gz"}], tmp_path / "cache", tool="hd-bet")
    assert record["brain_mask"] != "other.nii.gz"


def test_hd_bets_own_words_are_told_when_it_fails(
    install: Callable[..., Path], head: dict[str, str], tmp_path: Path
) -> None:
    install(fails=True)
    with pytest.raises(DatasetError, match=r"HD-BET failed \(1 to mask, .*: out of memory"):
        add_brain_masks([head], tmp_path / "cache")
    assert list((tmp_path / "cache" / "brains").iterdir()) == []


def test_all_unreadable_volumes_are_told(install: Callable[..., Path], tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.nii.gz" for name in "ab"]
    for path in paths:
        path.write_bytes(b"nonsense")
    records = [{"subject": path.name, "source": "files", "t1ce": str(path)} for path in paths]
    with pytest.raises(DatasetError) as error:
        add_brain_masks(records, tmp_path / "cache")
    assert [problem.where for problem in error.value.problems] == [str(path) for path in paths]
    assert unmasked_heads(records) == []


def test_a_tool_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(KnobError, match="--brain_extraction: 'fsl' is no choice"):
        add_brain_masks([], tmp_path, tool="fsl")
