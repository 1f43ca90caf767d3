from __future__ import annotations

from common.cohorts.datasets import brats_hdf5 as hdf5
from common.cohorts.datasets import ixi
from common.cohorts.datasets.brats_releases import RELEASES
from common.cohorts.datasets.source_names import SOURCE_NAMES, source_name


def test_every_data_set_that_is_read_has_a_name() -> None:
    read = {release.source for release in RELEASES} | {ixi.SOURCE, hdf5.SOURCE, "br35h", "rsna_miccai"}
    assert read == set(SOURCE_NAMES)


def test_a_list_of_ones_own_keeps_its_name() -> None:
    assert (source_name("brats2018"), source_name("my_cases")) == ("BraTS 2018", "my_cases")
