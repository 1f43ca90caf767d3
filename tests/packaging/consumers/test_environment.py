from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from common.commands import ROOT
from common.errors import OutputError
from common.packaging.consumers import BareEnvironment
from common.packaging.consumers.environment import last_line

WHERE = "import importlib.util as u; print(*(u.find_spec(name) is not None for name in ('numpy', 'monai', 'common')))"


def test_it_has_the_packages_and_not_this_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    bare = BareEnvironment(tmp_path / "bare", {"COLOUR": "green"})
    assert bare.run(["-c", WHERE], tmp_path).stdout.split() == ["True", "True", "False"]
    told = bare.run(["-c", "import os, sys; print(os.environ['COLOUR']); sys.exit('no\\nluck')"], tmp_path)
    assert (told.stdout.strip(), told.returncode, last_line(told)) == ("green", 1, "luck")


def test_an_environment_that_has_the_project_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sysconfig.get_path
    monkeypatch.setattr(sysconfig, "get_path", lambda name, **more: real(name, **more) if more else str(ROOT))
    with pytest.raises(OutputError, match=r"this project can be imported there: .*common"):
        BareEnvironment(tmp_path / "bare")
