"""One run in several processes: on GPUs with nccl, on CPUs with gloo."""

from __future__ import annotations

import logging
import os

import ignite.distributed as idist
import torch
import torch.distributed as dist
from joblib import cpu_count
from monai.data import Dataset, DistributedSampler
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from common.errors import KnobError, Problem


def process_rank() -> int:
    """Number of this process among all, as torchrun gave it; 0 without torchrun."""
    return int(os.environ.get("RANK", "0"))


def process_device() -> torch.device:
    """The GPU of this process, or the CPU where there is none."""
    return torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu")


def loader_workers() -> int:
    """Worker processes of a data loader: none on a CPU, whose cores the network needs; with a GPU one to eight.

    Half of the cores that this job may use (a cluster's node often has many more) are shared by all of torchrun's
    processes on this machine.
    """
    if not torch.cuda.is_available():
        return 0
    return max(1, min(8, cpu_count() // 2 // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def start(device: torch.device | str) -> None:
    """Join the group of processes that torchrun started; all but the first stop logging.

    Args:
        device: where this process computes: GPUs communicate by nccl, CPUs by gloo.

    Raises:
        KnobError: the run was not started by torchrun.
    """
    if "WORLD_SIZE" not in os.environ:
        hint = "Start it with: torchrun --standalone --nproc_per_node=<processes> -m monai.bundle run ..."
        raise KnobError(Problem("it needs torchrun", "configs/multi_gpu_train.yaml", hint))
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    idist.sync()  # a saver on rank 0 alone would otherwise wait without end in its first get_rank()
    if process_rank() > 0:
        logging.disable(logging.INFO)  # of all loggers: MONAI's have levels of their own


def stop() -> None:
    """Leave the group, also within ignite."""
    if dist.is_initialized():
        idist.finalize()


def distribute(network: nn.Module, device: torch.device | str) -> nn.Module:
    """The network on this process's device, its gradients averaged and (on GPUs) its batch norm synchronised."""
    device = torch.device(device)  # --device arrives as text
    network = network.to(device)
    if device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return DistributedDataParallel(network, device_ids=[device.index])
    return DistributedDataParallel(network)


def validation_sampler(dataset: Dataset) -> DistributedSampler:
    """Divide the validation patients between the processes, each patient once.

    Raises:
        KnobError: there are fewer patients than processes.
    """
    if len(dataset) < idist.get_world_size():
        what = f"{len(dataset)} validation patients cannot be divided between {idist.get_world_size()} processes"
        raise KnobError(Problem(what, "--nproc_per_node", "Start fewer processes, or take fewer folds."))
    return DistributedSampler(dataset, even_divisible=False, shuffle=False)
