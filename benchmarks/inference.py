"""The segmentation of a 240x240x155 case from files to file, against reading, bare forward passes and writing.

Ours is the bundle's own evaluator (`configs/inference.yaml`, defaults): read, check, prepare, segment, put back into
the files' space, write the label map and the table of volumes. Bare reads the four images with the same reader, passes
the prepared slices of the brain's box through the same channels-last network in the same batches, and writes the label
map. The start of the program and the loading of the weights are in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import torch

from benchmarks.bundle import open_bundle
from benchmarks.timing import Ratio, alternate
from common.cohorts.nifti import read_nifti
from common.cohorts.records import MODALITIES
from common.networks import SegmentationUNet
from common.networks.checkpoints import save_checkpoint

NAME = "inference"
LIMIT = 1.25
BATCH = 16
TUMOUR_SHARE = 0.03


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> Ratio:
    """Seconds a case."""
    checkpoint = folder / "model.pt"
    save_checkpoint(checkpoint, {"model": SegmentationUNet().state_dict(), "provenance": {}})
    workflow = open_bundle(
        "inference",
        folder,
        dataset_dir=str(next(cohort.glob("*/*_001"))),
        checkpoint=str(checkpoint),
        inference_batch_size=BATCH,
        overwrite=True,
    )
    network, evaluator, dataset = map(workflow.parser.get_parsed_content, ("network", "evaluator", "dataset"))
    item = dataset[0]
    slices = item["image"].as_tensor().permute(3, 0, 1, 2).contiguous()
    network.eval()
    balance(network, slices[len(slices) // 2 :][:BATCH])
    evaluator.run()
    written = read_nifti(next((folder / "run").glob("*_seg.nii.gz")))
    labels = nib.Nifti1Image(written.array, written.affine)

    @torch.no_grad()
    def bare() -> None:
        for name in MODALITIES:
            read_nifti(item[name])
        for batch in slices.split(BATCH):
            network(batch)
        nib.save(labels, folder / "bare.nii.gz")

    return Ratio(NAME, *alternate(evaluator.run, bare, repeats, advance), LIMIT)


@torch.no_grad()
def balance(network: SegmentationUNet, slices: torch.Tensor) -> None:
    """Shift the background's bias so that random weights find as much foreground as a tumour takes, not everywhere."""
    logits = network(slices)
    lead = (logits[:, 1:].amax(dim=1) - logits[:, 0]).flatten()
    network.unet.segmentation_head[0].bias[0] += torch.quantile(lead[::7], 1 - TUMOUR_SHARE)
