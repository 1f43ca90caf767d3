"""Write what documents take from the code: the tables of README and of the bundles' knobs, and metadata's prose."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, help="bundle folders alone (default: all, and the README)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where something is stale")
    args = parser.parse_args(argv)
    from common.commands import announce
    from common.packaging.places import require_bundle
    from common.reports.knob_tables import update_document

    for bundle in args.bundles:
        require_bundle(bundle)
    announce("Importing the registries")
    from common.reports.registry_tables import update_metadata, update_tables

    stale = []
    for bundle in args.bundles or sorted(path.parent for path in ROOT.glob("bundles/*/docs")):
        document, metadata = bundle / "docs" / "README.md", bundle / "configs" / "metadata.json"
        stale += [document] if update_document(document, bundle, args.check) else []
        stale += [metadata] if metadata.is_file() and update_metadata(metadata, args.check) else []
    documents = [] if args.bundles else [ROOT / "README.md", ROOT / "docs" / "data_sets.md"]
    stale += [path for path in documents if update_tables(path, args.check)]
    for path in stale:
        print(f"{path}: {'stale, run make docs' if args.check else 'written'}")
    return int(bool(stale) and args.check)


if __name__ == "__main__":
    sys.exit(main())
