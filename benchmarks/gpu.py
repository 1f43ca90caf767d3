"""Training steps on a GPU, with and without mixed precision and channels-last weights."""

from __future__ import annotations

import time
from itertools import product
from statistics import median

import torch
from monai.losses import DiceCELoss

from benchmarks.step_cost import measure_step
from common.networks import SegmentationUNet
from common.networks.video_backbones import PUBLISHED

SHAPE = (16, 4, 160, 192)
STEPS = 30


def measure_rates(repeats: int) -> dict[str, float]:
    """Slices and volumes a second by setting, on tensors already on the GPU; empty where there is none."""
    if not torch.cuda.is_available():
        return {}
    rates = {}
    for amp, channels_last in product((False, True), repeat=2):
        seconds = [_step_seconds(amp, channels_last) for _ in range(repeats)]
        rates[f"slices, U-Net, {_setting(amp, channels_last)}"] = SHAPE[0] / median(seconds)
    for backbone, ours in product(PUBLISHED, (False, True)):
        knobs = {"backbone": backbone, "channels_last": ours}
        costs = [measure_step(knobs, steps=STEPS, device="cuda", amp=ours) for _ in range(repeats)]
        rates[f"volumes, {backbone}, {_setting(ours, ours)}"] = 1 / median(cost.seconds for cost in costs)
    return rates


def _setting(amp: bool, channels_last: bool) -> str:
    return f"{'mixed' if amp else 'full'} precision, {'channels last' if channels_last else 'channels first'}"


def _step_seconds(amp: bool, channels_last: bool) -> float:
    """Mean seconds of a step, after as many that are not counted."""
    device = torch.device("cuda")
    network = SegmentationUNet(channels_last=channels_last).to(device).train()
    optimizer = torch.optim.Adam(network.parameters())
    scaler = torch.amp.GradScaler("cuda", enabled=amp)
    loss_function = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)
    image = torch.randn(SHAPE, device=device)
    label = torch.randint(0, 4, (SHAPE[0], 1, *SHAPE[2:]), device=device)
    begun = 0.0
    for step in range(2 * STEPS):
        if step == STEPS:
            torch.cuda.synchronize()
            begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", enabled=amp):
            loss = loss_function(network(image), label)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / STEPS
