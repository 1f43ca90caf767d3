"""A 240x240x155 case from files to its result, against reading, bare forward passes and, of a label map, writing.

Ours is the bundle's own evaluator (`configs/inference.yaml`, defaults): read, check, prepare, pass through the network,
and then put the segmentation back into the files' space and write the label map and the table of volumes, or write the
table of grades. Bare reads the four images with the same reader, passes what was prepared (the slices of the brain's
box, or three slices) through the same channels-last network in the same batches, and writes the label map. The start
of the program and the loading of the weights are in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from torch import Tensor, nn

from benchmarks.bundle import BUNDLES, open_bundle
from benchmarks.timing import Ratio, alternate
from common.formats.nifti import read_nifti
from common.networks import SegmentationUNet
from common.networks.weights.checkpoints import save_checkpoint
from common.records import MODALITIES

NAME = "inference"
LIMIT = 1.25
QUICK_LIMIT = 2.0
"""One image is classified so quickly that checking its files takes as long; read the seconds, not the ratio."""
BATCH = 16
TUMOUR_SHARE = 0.03


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds per case, by bundle.

    Args:
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    patient = next(cohort.glob("*/*_001"))
    parts = (measure_segmentation, measure_grading)
    return [part(patient, folder, repeats, advance) for part in parts]


def measure_segmentation(patient: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> Ratio:
    """Seconds from four files to a label map.

    Args:
        patient: folder of the patient.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    bundle = "glioma_segmentation"
    workflow = open_inference(bundle, patient, folder / bundle, inference_batch_size=BATCH)
    network, evaluator, dataset = map(workflow.parser.get_parsed_content, ("network", "evaluator", "dataset"))
    item = dataset[0]
    slices = item["image"].as_tensor().permute(3, 0, 1, 2).contiguous()
    balance(network, slices[len(slices) // 2 :][:BATCH])
    evaluator.run()
    written = read_nifti(next((folder / bundle / "run").glob("*_seg.nii.gz")))
    labels = nib.Nifti1Image(written.array, written.affine)

    def bare() -> None:
        read_and_pass(item, network, slices)
        nib.save(labels, folder / "bare.nii.gz")

    return Ratio(f"{NAME}, {bundle}", *alternate(evaluator.run, bare, repeats, advance), LIMIT)


def measure_grading(patient: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> Ratio:
    """Seconds from four files to a row of the table.

    Args:
        patient: folder of the patient.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    bundle = "glioma_grade_classification"
    workflow = open_inference(bundle, patient, folder / bundle)
    network, evaluator, dataset = map(workflow.parser.get_parsed_content, ("network", "evaluator", "dataset"))
    item = dataset[0]
    network.eval()
    image = item["image"][None]

    def bare() -> None:
        read_and_pass(item, network, image)

    return Ratio(f"{NAME}, {bundle}", *alternate(evaluator.run, bare, repeats, advance), QUICK_LIMIT)


def open_inference(bundle: str, patient: Path, folder: Path, **knobs: Any) -> ConfigWorkflow:
    """A bundle's inference for one patient, with random weights.

    Args:
        bundle: name of the bundle.
        patient: folder of the patient.
        folder: for files of the benchmark.
        knobs: overrides.
    """
    config = ConfigParser(ConfigParser.load_config_file(BUNDLES / bundle / "configs" / "inference.yaml"))
    checkpoint = folder / "model.pt"
    weights = config.get_parsed_content("network_def").state_dict()
    save_checkpoint(checkpoint, {"model": weights, "provenance": {}})
    return open_bundle(
        bundle, "inference", folder, dataset_dir=str(patient), checkpoint=str(checkpoint), overwrite=True, **knobs
    )


@torch.no_grad()
def read_and_pass(item: dict[str, Any], network: nn.Module, images: Tensor) -> None:
    """Read a patient's four images, and pass the prepared ones through the network.

    Args:
        item: with the path of each image.
        network: in eval mode.
        images: prepared, one batch.
    """
    for name in MODALITIES:
        read_nifti(item[name])
    for batch in images.split(BATCH):
        network(batch)


@torch.no_grad()
def balance(network: SegmentationUNet, slices: Tensor) -> None:
    """Shift the background's bias so that random weights find as much foreground as a tumour takes, not everywhere."""
    network.eval()
    logits = network(slices)
    lead = (logits[:, 1:].amax(dim=1) - logits[:, 0]).flatten()
    network.unet.segmentation_head[0].bias[0] += torch.quantile(lead[::7], 1 - TUMOUR_SHARE)
