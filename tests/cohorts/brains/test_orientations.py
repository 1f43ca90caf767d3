from __future__ import annotations

import logging

import nibabel as nib
import numpy as np
import pytest

from common.cohorts.brains.orientations import describe_orientations, warn_of_orientations
from common.formats.nifti import conflict_of_forms, save_like

AFFINE = np.diag([-1.0, -1.0, 2.0, 1.0])


def image(sform: np.ndarray | None = None, qform: np.ndarray | None = None) -> nib.Nifti1Image:
    made = nib.Nifti1Image(np.ones((10, 8, 6), np.int16), None)
    made.set_sform(sform, 0 if sform is None else 1)
    made.set_qform(qform, 0 if qform is None else 1)
    return made


MIRRORED = np.diag([-1.0, 1, 1, 1]) @ AFFINE
NEARLY = AFFINE + np.pad(np.full((3, 1), 0.01), ((0, 1), (3, 0)))


@pytest.mark.parametrize(
    ("sform", "qform", "what"),
    [
        (AFFINE, AFFINE, None),
        (AFFINE, NEARLY, None),
        (AFFINE, None, None),
        (None, AFFINE, None),
        (AFFINE, MIRRORED, "18 mm apart"),  # 9 steps of 1 mm to the left, and 9 to the right
        (None, None, "no qform and no sform"),
    ],
)
def test_forms_that_disagree_or_are_not_there(sform, qform, what):
    told = conflict_of_forms(image(sform, qform).header)
    assert told is None if what is None else what in told


def test_a_cohort_is_told_in_one_warning(tmp_path, caplog):
    records = []
    for index, qform in enumerate([AFFINE, MIRRORED, MIRRORED, MIRRORED, MIRRORED]):
        nib.save(image(AFFINE, qform), tmp_path / f"{index}.nii")
        records.append({"subject": f"p{index}", "flair": str(tmp_path / f"{index}.nii")})
    records.append({"subject": "gone", "flair": str(tmp_path / "gone.nii")})
    with caplog.at_level(logging.WARNING):
        warn_of_orientations(records)
    (message,) = caplog.messages
    assert "p0" not in message
    assert [name in message for name in ("p1", "p2", "p3", "p4")] == [True, True, True, False]
    assert "1 more" in message
    assert describe_orientations({"p0": image(AFFINE, AFFINE)}) == ""


@pytest.mark.parametrize("forms", [(AFFINE, MIRRORED), (None, AFFINE), (None, None)])
def test_what_we_write_says_the_same_in_both_forms(tmp_path, forms):
    source = image(*forms)
    save_like(tmp_path / "seg.nii.gz", np.ones((10, 8, 6), np.uint8), source, "labels")
    written = nib.load(tmp_path / "seg.nii.gz")
    for form in (written.get_sform, written.get_qform):
        affine, code = form(coded=True)
        assert code > 0
        np.testing.assert_allclose(affine, source.affine, atol=1e-5)
