from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from common.errors import DatasetError, KnobError
from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms
from common.reports.checkups.cohort import CaseCost, describe_cache, measure_case
from tests.short_reports import shorten_reports

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_dataset.py"
MODALITIES = ("flair", "t1", "t1ce", "t2")


@pytest.fixture
def main(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import check_dataset

    return check_dataset.main


@pytest.fixture
def root(tmp_path):
    """Six HGG with age and six LGG without: a shortcut as in BraTS. The brain's box is 4 x 3 x 2 voxels."""
    rows = ["Brats18ID,Age,Survival,ResectionStatus"]
    for number in range(12):
        subject = f"Brats18_TCIA_{number}_1"
        write_patient(tmp_path / ("HGG" if number < 6 else "LGG") / subject, number)
        rows += [f"{subject},{60 + number},ALIVE (361 days later),GTR"] if number < 6 else []
    (tmp_path / "survival_data.csv").write_text("\n".join(rows))
    return tmp_path


def write_patient(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for key in (*MODALITIES, "seg"):
        array = np.zeros((8, 7, 6), np.int16)
        array[2:6, 1:4, 3:5] = 4 if key == "seg" else random.integers(1, 900, (4, 3, 2))
        nib.save(nib.Nifti1Image(array, np.diag([-1.0, -1.0, 1.0, 1.0])), folder / f"{folder.name}_{key}.nii.gz")


@pytest.fixture
def no_probe():
    """As good as none: the shortcuts are not asked about."""
    with shorten_reports(shuffles=1):
        yield


def test_a_sound_data_set(main, root, no_probe, capsys):
    assert main([str(root)]) == 0
    lines = {line.split("  ")[1]: line.split("  ")[-1].strip() for line in told(capsys) if line.startswith("  ")}
    assert lines["patients"] == "12 (12 BraTS 2018)"
    assert lines["grade"] == "6 HGG, 6 LGG"
    assert lines["age"] == "6 of 12: 60.0 to 65.0 years, median 62.5"
    assert lines["survival"] == "6 of 12: 361 to 361 days, median 361; 6 still alive (censored)"
    assert lines["resection"] == "6 GTR, 6 not recorded"
    assert lines["shape"] == "12 8x7x6"
    assert lines["spacing"] == "12 1x1x1 mm"
    assert lines["orientation"] == "12 LPS"
    assert lines["size"] == "2.59 kB for 12 patients (216 B each)"  # 4 * 3 * 2 voxels * (4 * 2 + 1) bytes = 216
    assert lines["measured on"] == "12 patients"


def test_the_shortcut_of_the_missing_ages_is_told(main, root, capsys):
    main([str(root), "--headers-only"])
    text = "\n".join(told(capsys))
    assert "Shortcuts to grade (6 HGG, 6 LGG)" in text
    assert "  ! " in text
    assert "measured on   one patient" in text


def test_all_that_is_wrong_is_told_and_the_rest_described(main, root, capsys):
    hurt = root / "HGG" / "Brats18_TCIA_0_1"
    (hurt / "Brats18_TCIA_0_1_t1.nii.gz").unlink()
    (root / "HGG" / "Brats18_TCIA_1_1" / "Brats18_TCIA_1_1_t2.nii.gz").write_bytes(b"nonsense")
    mask = root / "LGG" / "Brats18_TCIA_7_1" / "Brats18_TCIA_7_1_seg.nii.gz"
    nib.save(nib.Nifti1Image(np.full((8, 7, 6), 3, np.int16), np.diag([-1.0, -1.0, 1.0, 1.0])), mask)

    assert main([str(root)]) == 1
    text = "\n".join(told(capsys))
    assert "patients      10 (10 BraTS 2018)" in text
    assert "What is wrong: 3 problems" in text
    for what in ("has no t1", "not NIfTI", "unknown labels: 3"):
        assert what in text
    assert "measured on   9 patients" in text

    excluded = "Brats18_TCIA_0_1,Brats18_TCIA_1_1,Brats18_TCIA_7_1"
    assert main([str(root), "--exclude", excluded]) == 0


def test_nobody_is_sound(main, tmp_path, capsys):
    write_patient(tmp_path / "BraTS2021_00000", 0)
    (tmp_path / "BraTS2021_00000" / "BraTS2021_00000_t1.nii.gz").unlink()
    assert main([str(tmp_path)]) == 1
    assert told(capsys)[0] == "What is wrong: 1 problem"


def test_unlabelled_patients(main, tmp_path, capsys):
    write_patient(tmp_path / "BraTS2021_00000", 0)
    (tmp_path / "BraTS2021_00000" / "BraTS2021_00000_seg.nii.gz").unlink()
    assert main([str(tmp_path)]) == 1
    assert main([str(tmp_path), "--unlabelled"]) == 0
    assert "masks         0 of 1" in "\n".join(told(capsys))


def test_what_preparation_and_the_files_suffer_from_is_told_once_each(tmp_path):
    write_patient(tmp_path / "p1", 0)
    files = {key: str(tmp_path / "p1" / f"p1_{key}.nii.gz") for key in (*MODALITIES, "seg")}
    Path(files["t1"]).write_bytes(b"nonsense")
    nib.save(nib.Nifti1Image(np.full((8, 7, 6), 3, np.int16), nib.load(files["t2"]).affine), files["seg"])
    cost, problems, _ = measure_case({"subject": "p1", **files, "mask_values": [1, 2, 4]})
    assert cost is None
    assert [problem.where.split(" ")[0] for problem in problems] == [files["t1"], files["seg"]]


def test_phantoms_are_called_so(main, phantom_dir, capsys):
    main([str(phantom_dir), "--headers-only"])
    assert "8 (8 BraTS 2020); 8 are phantoms, no patients" in "\n".join(told(capsys))


def test_neither_folder_nor_list(main):
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_a_missing_folder_is_one_message_from_any_directory(tmp_path):
    command = [sys.executable, str(SCRIPT), "nowhere"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == f"DatasetError: {tmp_path / 'nowhere'}: there is no such folder. Check the path."


@pytest.mark.parametrize("arguments", [["nowhere"], ["--datalist", "nowhere.csv"]])
def test_what_is_missing_is_told_before_torch_is_imported(tmp_path, arguments):
    code = (
        "import sys, common.errors\n"
        "sys.path.insert(0, sys.argv[1]); import check_dataset\n"
        "try: check_dataset.main(sys.argv[2:])\n"
        "except common.errors.DatasetError as error: print(error)\n"
        "print(sorted({'torch', 'monai', 'pandas'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(SCRIPT.parent), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    message, modules = done.stdout.splitlines()
    assert "there is no such" in message
    assert modules == "[]"


def test_the_cost_of_a_case_is_what_its_clock_and_box_say(tmp_path):
    write_patient(tmp_path / "p1", 0)
    files = {key: str(tmp_path / "p1" / f"p1_{key}.nii.gz") for key in MODALITIES}
    ticks = iter((10.0, 10.5))
    record = {"subject": "p1", **files, "mask_values": [1, 2, 4]}
    cost, problems, _ = measure_case(record, clock=lambda: next(ticks))
    assert problems == []
    assert cost == CaseCost(seconds=0.5, size=4 * 3 * 2 * 8)


def test_the_cache_is_the_mean_cost_times_the_patients():
    text = describe_cache([CaseCost(0.5, 20_000_000), CaseCost(1.5, 40_000_000)], patients=369)
    assert "11.1 GB for 369 patients (30 MB each)" in text
    assert "about 6 min in one thread (1.00 s each)" in text


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


class TestHealthy:
    @pytest.fixture
    def ixi(self, tmp_path_factory):
        """Six heads in noise of 8000 x 7 x 6 mm, far larger than a brain; a mask lies beside each but the last."""
        folder = tmp_path_factory.mktemp("ixi")
        affine = np.diag([50.0, 1.0, 1.0, 1.0])
        for number in range(6):
            array = np.random.default_rng(100 + number).integers(1, 255, (8, 7, 6)).astype(np.uint8)
            name = f"IXI{number:03d}-HH-{number:04d}-T1"
            nib.save(nib.Nifti1Image(array, affine), folder / f"{name}.nii.gz")
            if number < 5:
                nib.save(nib.Nifti1Image((array > 128).astype(np.uint8), affine), folder / f"{name}_mask.nii.gz")
        return folder

    @pytest.fixture(autouse=True)
    def without_hd_bet(self, monkeypatch):
        monkeypatch.setattr("common.cohorts.brains.hd_bet.find_hd_bet", lambda: None)

    def test_beside_patients(self, main, root, ixi, no_probe, capsys):
        assert main([str(root), "--healthy", str(ixi), "--exclude", "IXI005-HH-0005"]) == 0
        text = "\n".join(told(capsys))
        assert "patients      17 (12 BraTS 2018, 5 IXI)" in text
        assert "grade         6 HGG, 6 LGG, 5 healthy" in text
        assert "What is wrong: nothing" in text
        assert "Healthy brains come from one data set only (IXI)" in text

    def test_an_ixi_folder_alone_and_the_head_without_a_mask(self, main, ixi, capsys):
        assert main([str(ixi)]) == 1
        text = "\n".join(told(capsys))
        assert "patients      6 (6 IXI)" in text
        assert "1 volume is a whole head without a brain mask: IXI005-HH-0005-T1.nii.gz" in text
        assert main([str(ixi), "--headers-only"]) == 0

    def test_a_broken_volume_and_a_folder_that_is_not_there(self, main, root, ixi, no_probe, capsys):
        (ixi / "IXI000-HH-0000-T1.nii.gz").write_bytes(b"nonsense")
        assert main([str(root), "--healthy", str(ixi), "--headers-only"]) == 1
        text = "\n".join(told(capsys))
        assert "16 (12 BraTS 2018, 5 IXI)" not in text
        assert "17 (12 BraTS 2018, 5 IXI)" in text
        assert "not NIfTI" in text
        with pytest.raises(DatasetError, match="there is no such folder"):
            main([str(root), "--healthy", str(ixi / "nowhere"), "--headers-only"])


class TestKinds:
    @pytest.fixture
    def images(self, tmp_path_factory):
        """Two classes of two noisy images, and a copy of the first, turned over."""
        folder = tmp_path_factory.mktemp("images")
        for number, name in enumerate(("no", "yes")):
            (folder / name).mkdir()
            for image in range(2):
                coarse = np.random.default_rng(10 * number + image).integers(0, 256, (8, 8), dtype=np.uint8)
                Image.fromarray(coarse).resize((96, 96)).save(folder / name / f"{image}.png")
        Image.open(folder / "no" / "0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "no" / "2.png")
        return folder

    def test_images_and_their_copies(self, main, images, tmp_path, capsys):
        assert main([str(images), "--output", str(tmp_path / "out")]) == 0
        text = "\n".join(told(capsys))
        assert "images        5 (5 Br35H)" in text
        assert "with a copy   2 of 5 images" in text
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "copies.csv",
            "copies.png",
            "copies_threshold.png",
        }
        (images / "yes" / "broken.png").write_text("nonsense")
        assert main([str(images), "--headers-only"]) == 1
        assert "broken.png: the file is no image" in "\n".join(told(capsys))

    def test_series(self, main, tmp_path, capsys):
        make_rsna_phantoms(tmp_path / "rsna", patients=2, shape=(32, 32, 16))
        assert main([str(tmp_path / "rsna"), "--headers-only"]) == 0
        text = "\n".join(told(capsys))
        assert "2 (2 RSNA-MICCAI 2021)" in text
        assert "flair         2 axial; 16 slices" in text

    def test_a_list_of_images(self, main, images, capsys):
        rows = [f"{name}/{image}.png,{name}" for name in ("no", "yes") for image in range(2)]
        (images / "cases.csv").write_text("\n".join(["image,label", *rows]))
        assert main(["--datalist", str(images / "cases.csv"), "--headers-only"]) == 0
        text = "\n".join(told(capsys))
        assert "images        4 (4 cases)" in text
        assert "classes       2 no, 2 yes" in text

    def test_a_list_of_series(self, main, tmp_path, capsys):
        make_rsna_phantoms(tmp_path / "rsna", patients=2, shape=(32, 32, 16))
        folders = sorted(path.parent for path in (tmp_path / "rsna").rglob("FLAIR"))
        rows = [f"p{number},{folder / 'FLAIR'},{folder / 'T1w'},{number}" for number, folder in enumerate(folders)]
        (tmp_path / "cases.csv").write_text("\n".join(["subject,flair,t1,MGMT_value", *rows]))
        assert main(["--datalist", str(tmp_path / "cases.csv"), "--headers-only"]) == 0
        text = "\n".join(told(capsys))
        assert "MGMT status   1 unmethylated, 1 methylated" in text
        assert "flair         2 axial; 16 slices" in text

    def test_a_foreign_folder_is_named(self, main, tmp_path):
        (tmp_path / "1-01.dcm").touch()
        with pytest.raises(DatasetError, match=r"holds DICOM series\. For MGMT classification list them"):
            main([str(tmp_path)])

    def test_pictures_are_of_images_alone(self, main, root, tmp_path):
        with pytest.raises(KnobError, match="single images alone"):
            main([str(root), "--output", str(tmp_path / "out")])
