"""Which images are copies of each other (rotated, cropped, brightened, saved anew), and their groups."""

from common.copies.cached_search import find_copies
from common.copies.subjects import group_copies, single_images, subjects_of

__all__ = ["find_copies", "group_copies", "single_images", "subjects_of"]
