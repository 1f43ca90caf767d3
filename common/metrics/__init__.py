"""How a segmentation is judged, and how sure that is."""

from common.metrics.brats import brats_dice_hd95
from common.metrics.intervals import bootstrap_interval, summarise
from common.metrics.soft_dice import SoftDice, soft_dice
from common.metrics.volume_dice import VolumeDice

__all__ = ["SoftDice", "VolumeDice", "bootstrap_interval", "brats_dice_hd95", "soft_dice", "summarise"]
