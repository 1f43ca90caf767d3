"""The first inputs of every reader, as ``make fuzz`` reads them, and that a fault of each kind is seen."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fuzz import process
from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.process import Process
from tests.fuzz.readers import NAMES
from tests.fuzz.report import FAULTS, Results, describe
from tests.fuzz.run import plan, try_all
from tests.fuzz.worker import Watch

INPUTS = 300


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    results = Results(tmp_path_factory.mktemp("fuzz"), 0, measured=False)
    assert try_all(plan(list(NAMES), INPUTS), results, 0, time.monotonic() + 900) == 0
    return results


@pytest.mark.slow
def test_nothing_that_is_read_is_a_fault(results: Results) -> None:
    assert len(results.outcomes) == INPUTS
    assert not results.faults, describe(results, NAMES)


@pytest.mark.slow
def test_every_reader_gets_sound_and_broken_inputs(results: Results) -> None:
    for name in NAMES:
        own = [one for (reader, _), one in results.outcomes.items() if reader == name]
        assert Counter(one["outcome"] for one in own).keys() >= {"right", "refused"}, name
        assert sum(one["header"] for one in own) >= len(own) / 2, name


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_tries_faults_again(results: Results) -> None:
    results.add({"reader": "nifti", "number": 0, "mutation": "x", "header": True, "outcome": "hang", "told": ""})
    again = Results(results.folder, 0, measured=False)
    assert again.done == set(results.outcomes) - {("nifti", 0)}


def reads(read: Any, truth: Truth = ANYTHING) -> Reader:
    mutation = Mutation("none", lambda folder, made, draw: truth)
    return Reader("a reader", lambda folder, draw: None, (mutation,), lambda folder: True, read)


def stray(folder: Path, output: Path) -> None:
    (output.parent / "stray").touch()


def change_input(folder: Path, output: Path) -> None:
    (folder / "more").touch()


def ask_for_memory(folder: Path, output: Path) -> None:
    np.ones(2**32, np.uint8)


def refuse(folder: Path, output: Path) -> None:
    from common.errors import DatasetError, Problem

    raise DatasetError(Problem("it is damaged", "a file", "Mend it."))


def refuse_for_lack_of_memory(folder: Path, output: Path) -> None:
    try:
        ask_for_memory(folder, output)
    except MemoryError:
        refuse(folder, output)


@pytest.mark.parametrize(
    ("reader", "outcome"),
    [
        (reads(lambda folder, output: {"a": 1.0}, must_be({"a": 1.0})), "right"),
        (reads(lambda folder, output: {"a": 1.1}, must_be({"a": 1.0})), "wrong result"),
        (reads(lambda folder, output: np.zeros(3), must_be_or_refused(np.ones(3))), "wrong result"),
        (reads(lambda folder, output: 1, MUST_BE_REFUSED), "wrong result"),
        (reads(lambda folder, output: 1), "read"),
        (reads(refuse), "refused"),
        (reads(refuse, MUST_BE_REFUSED), "refused"),
        (reads(refuse, must_be(1)), "wrong refusal"),
        (reads(lambda folder, output: 1 / 0), "traceback"),
        (reads(lambda folder, output: np.log(np.float64(-1))), "warning only"),
        (reads(lambda folder, output: os.write(2, b"odd")), "warning only"),
        (reads(stray), "stray file"),
        (reads(change_input), "stray file"),
        (reads(ask_for_memory), "memory"),
        (reads(refuse_for_lack_of_memory), "memory"),
    ],
)
def test_a_fault_of_each_kind_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader, outcome: str):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "noise.txt").open("w+b") as noise:
        watch = Watch(tmp_path, noise)
        watch.warm.add(reader.name)
        kept = os.dup(1), os.dup(2)
        os.dup2(noise.fileno(), 1)
        os.dup2(noise.fileno(), 2)
        try:
            found = watch.try_input(reader, 0, 0)
        finally:
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
    assert found["outcome"] == outcome, found
    assert (outcome in FAULTS) == (outcome not in ("right", "read", "refused"))


CRASH = "import os,sys; print('ready', flush=True); input(); os.kill(os.getpid(), 11)"
HANG = "import time; print('ready', flush=True); input(); time.sleep(60)"


@pytest.mark.parametrize(("code", "outcome", "told"), [(CRASH, "crash", "SIGSEGV"), (HANG, "hang", "no answer in 1 s")])
def test_a_worker_that_dies_or_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, outcome: str, told: str
) -> None:
    monkeypatch.setattr(process, "WAITING_SECONDS", 1.0)
    worker = Process(tmp_path, 0)
    (tmp_path / "noise.txt").touch()
    worker.command = [worker.command[0], "-c", code]
    found = worker.try_input("nifti", 0)
    worker.stop()
    assert found["outcome"] == outcome and told in found["told"]
