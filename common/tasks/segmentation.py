"""The parts of a glioma, voxel by voxel."""

from __future__ import annotations

from common.tasks.references import BRATS, BRATS_CHALLENGE, BRATS_LABELS, P3
from common.tasks.task import Prose, Task

OF_THREE, WITH_BACKGROUND = "mean of the three", "mean with the background"
"""Averages of the soft Dice: of NCR, ED and ET, which P3's formula gives, and of these and the background."""

SOFT_DICE = {"NCR": 0.8728, "ED": 0.8275, "ET": 0.8942, OF_THREE: 0.8986}
"""P3, table 1 and section 5.1: soft Dice on BraTS 2020, slices of one patient on both sides of the split.

The last one is the accuracy of the whole test set, "1 - calculated loss". By the printed loss, whose weights are
[0, 1, 1, 1], it would be the average of the three.
"""

STAGE_3_LOSSES = {"last_train_loss": 0.0684, "last_val_loss": 0.0694}
"""P3, section 4.1.4: at the end of the last stage."""

AVERAGE_OF_PRINTED = 0.8648
"""Of P3's three classes, by our arithmetic; it is printed nowhere."""

BACKGROUND_THAT_FITS = 0.9999
"""The soft Dice of the background with which the four classes would average to the printed .8986."""

TASK = Task(
    name="segmentation",
    bundle="glioma_segmentation",
    question="four MRI sequences → necrotic core, oedema, enhancing tumour",
    papers=("P3",),
    classes=("NCR", "ED", "ET"),
    title="Glioma segmentation",
    key_measure="mean_dice",
    prose=Prose(
        task="Segmentation of glioma and its parts in multimodal brain MRI",
        description=(
            "A 2-D U-Net with a ResNet-18 encoder segments each axial slice of four co-registered, skull-stripped "
            "MRI sequences (FLAIR, T1, contrast-enhanced T1, T2) into background, necrotic and non-enhancing core, "
            "oedema and enhancing tumour. It follows Sathiyamoorthy and Vaidyanathan, is trained on BraTS with a "
            "split by patient, and can repeat the published split by slice for comparison. The bundle ships without "
            "weights."
        ),
        data_type="nibabel",
        image_classes="four channels: FLAIR, T1, contrast-enhanced T1, T2; z-scores within the brain, background zero",
        label_classes=(
            "one channel of indices: 0 background, 1 necrotic and non-enhancing core (NCR), 2 oedema (ED), 3 "
            "enhancing tumour (ET, stored as 4 in BraTS files up to 2021, as 3 from BraTS 2023 on), and with "
            "cavity region 4 resection cavity (RC)"
        ),
        pred_classes=(
            "four channels of logits: background, NCR, ED, ET; after post-processing one channel with the values 0, "
            "1, 2 and 4 of BraTS (0, 1, 2 and 3 from BraTS 2023 on); with cavity region a fifth one, RC"
        ),
        references=(
            P3,
            "Ronneberger O, Fischer P, Brox T. U-Net: Convolutional Networks for Biomedical Image Segmentation. "
            "MICCAI 2015. https://arxiv.org/abs/1505.04597",
            BRATS,
            BRATS_LABELS,
            BRATS_CHALLENGE,
        ),
    ),
)
