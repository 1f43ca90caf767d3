from __future__ import annotations

import ignite.distributed as idist
import pytest
import torch
import torch.distributed as dist
from monai.data import Dataset
from torch.nn.parallel import DistributedDataParallel

from common import distributed
from common.errors import KnobError


@pytest.fixture
def in_a_group(monkeypatch: pytest.MonkeyPatch):
    """A group of this one process, as torchrun would have made it."""
    for name, value in {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "0",
        "LOCAL_RANK": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    distributed.start("cpu")
    yield
    distributed.stop()
    idist.utils._need_to_sync = True


def test_without_torchrun_it_says_how_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(KnobError, match="torchrun --standalone"):
        distributed.start("cpu")


def test_rank_and_device_come_from_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert distributed.process_rank() == 0
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert distributed.process_rank() == 3
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert distributed.process_device() == torch.device("cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert distributed.process_device() == torch.device("cpu")


@pytest.mark.parametrize(
    ("cores", "processes", "workers"), [(16, None, 8), (64, None, 8), (16, "4", 2), (4, "8", 1), (1, None, 1)]
)
def test_loaders_share_the_cores_that_the_job_may_use(
    monkeypatch: pytest.MonkeyPatch, cores: int, processes: str | None, workers: int
) -> None:
    monkeypatch.setattr(distributed, "cpu_count", lambda: cores)
    if processes is None:
        monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    else:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert distributed.loader_workers() == workers
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert distributed.loader_workers() == 0


@pytest.mark.usefixtures("in_a_group")
@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")], ids=["a word", "a device"])
def test_the_network_is_wrapped(device: torch.device | str) -> None:
    network = torch.nn.Linear(2, 2)
    wrapped = distributed.distribute(network, device)
    assert isinstance(wrapped, DistributedDataParallel)
    assert wrapped.module is network


@pytest.mark.usefixtures("in_a_group")
def test_stopping_leaves_the_group_and_may_be_said_twice() -> None:
    distributed.stop()
    assert not dist.is_initialized()
    distributed.stop()


def test_no_validation_patient_is_judged_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for rank in range(2):
        monkeypatch.setattr(idist, "get_world_size", lambda: 2)
        monkeypatch.setattr(dist, "get_world_size", lambda *_: 2)
        monkeypatch.setattr(dist, "get_rank", lambda *_, rank=rank: rank)
        monkeypatch.setattr(dist, "is_available", lambda: True)
        shares.append(list(distributed.validation_sampler(Dataset(list(range(5))))))
    assert sorted(shares[0] + shares[1]) == [0, 1, 2, 3, 4]
    assert not set(shares[0]) & set(shares[1])


def test_more_processes_than_validation_patients_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist, "get_world_size", lambda: 3)
    with pytest.raises(KnobError, match="2 validation patients cannot be divided between 3 processes"):
        distributed.validation_sampler(Dataset([0, 1]))
