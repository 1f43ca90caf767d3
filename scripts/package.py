"""Package bundles: each as a folder and a zip that need nothing of this repository, with weights if there are any."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

BUNDLES = Path(__file__).resolve().parents[1] / "bundles"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", help="names or folders of bundles (default: all of this repository)")
    parser.add_argument("--output", type=Path, default=Path("dist"), help="folder for the packages (default: dist)")
    parser.add_argument("--no-exports", action="store_true", help="do not export weights to TorchScript and ONNX")
    args = parser.parse_args(argv)

    from common.commands import announce
    from common.packaging.places import require_bundle, require_free

    names = args.bundles or sorted(path.parent.name for path in BUNDLES.glob("*/configs"))
    bundles = [BUNDLES / name if (BUNDLES / name).is_dir() else Path(name) for name in names]
    for bundle in bundles:
        require_bundle(bundle)
        require_free(args.output / bundle.name)
    announce("Importing torch")
    from common.packaging.package import make_package

    for bundle in bundles:
        announce(f"Packaging {bundle.name}")
        package = make_package(bundle, args.output, exports=not args.no_exports)
        weights = ", ".join(package.weights) or "no weights: the bundle was not trained here"
        print(f"{package.archive}: {weights}; common {package.stamp}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
