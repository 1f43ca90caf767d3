"""The cells of programs that need an environment of their own, from their applications' tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from common.commands import ROOT


def application_cells(python: Path, tests: Path, bundles: Iterable[str], report: Path) -> dict[str, str]:
    """Run the tests of an application, which compare its answers with those of ``inferring``.

    Args:
        python: the interpreter of its environment.
        tests: their folder.
        bundles: names; a test is of a bundle that its own name holds.
        report: where pytest writes what came out.

    Returns:
        By bundle: ``ok`` and how many tests there were, or which ones failed.
    """
    command = [str(python), "-m", "pytest", str(tests), "-q", f"--junitxml={report}", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    found = ElementTree.parse(report).iter("testcase") if report.exists() else ()
    cases = [case for case in found if case.find("skipped") is None]
    return {bundle: _told([case for case in cases if bundle in case.get("name", "")]) for bundle in bundles}


def _told(cases: list[ElementTree.Element]) -> str:
    failed = [case.get("name", "") for case in cases if {part.tag for part in case} & {"failure", "error"}]
    if failed:
        return f"WRONG: {', '.join(failed)}"
    return f"ok ({len(cases)} tests)" if cases else "WRONG: no test ran"
