"""Bundles that need nothing of this repository: folders and zips with their code, weights and exports."""

from common.packaging.package import Package, make_package
from common.packaging.verification import verify_package

__all__ = ["Package", "make_package", "verify_package"]
