from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from common.errors import (
    DatasetError,
    GliomaError,
    KnobError,
    Problem,
    SplitError,
    SplitLeakageError,
    find_glioma_error,
    install_error_hook,
    list_some,
)

ONE = Problem("it is empty", "a.nii.gz", "Fetch it again.")
TWO = Problem("it is not NIfTI", "b.nii.gz", "Convert it.")


def test_a_message_says_where_what_and_how_to_hint_it() -> None:
    assert str(DatasetError(ONE)) == "a.nii.gz: it is empty. Fetch it again."


def test_all_problems_are_told_at_once() -> None:
    error = DatasetError(problem for problem in (ONE, TWO))
    assert error.problems == (ONE, TWO)
    assert str(error) == (
        "2 problems:\n  - a.nii.gz: it is empty. Fetch it again.\n  - b.nii.gz: it is not NIfTI. Convert it."
    )


def test_a_leak_is_a_split_error_and_all_are_of_one_family() -> None:
    assert issubclass(SplitLeakageError, SplitError)
    assert issubclass(SplitError, GliomaError)
    assert not issubclass(KnobError, ValueError)


def test_an_error_survives_the_way_between_processes() -> None:
    again = pickle.loads(pickle.dumps(DatasetError([ONE, TWO])))
    assert type(again) is DatasetError
    assert again.problems == (ONE, TWO)


class Broken:
    def __len__(self) -> int:
        return 1

    def __getitem__(self, _: int) -> None:
        raise DatasetError(ONE)


def test_an_error_from_a_data_loaders_process_stays_one_message() -> None:
    from torch.utils.data import DataLoader

    with pytest.raises(DatasetError) as caught:
        next(iter(DataLoader(Broken(), num_workers=1)))  # type: ignore[arg-type]
    (problem,) = caught.value.problems
    assert problem.what == "a.nii.gz: it is empty. Fetch it again"
    assert "Traceback" not in str(caught.value)


def wrapped() -> RuntimeError:
    try:
        try:
            raise DatasetError(ONE)
        except DatasetError as error:
            raise ValueError("while reading") from error
    except ValueError:
        try:
            raise RuntimeError("applying transform")  # by context, without "from"
        except RuntimeError as error:
            return error


def test_ours_is_found_behind_causes_and_contexts() -> None:
    found = find_glioma_error(wrapped())
    assert found is not None
    assert found.problems == (ONE,)
    assert find_glioma_error(ValueError("theirs")) is None
    assert find_glioma_error(None) is None


def test_a_ring_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert find_glioma_error(one) is None


def test_the_hook_tells_ours_in_one_message_and_leaves_others_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: others.append(error))
    install_error_hook()
    hook = sys.excepthook
    install_error_hook()
    assert sys.excepthook is hook
    error = wrapped()
    hook(type(error), error, error.__traceback__)
    assert capsys.readouterr().err == "\nDatasetError: a.nii.gz: it is empty. Fetch it again.\n"
    assert others == []
    strange = ZeroDivisionError()
    hook(ZeroDivisionError, strange, None)
    assert others == [strange]
    assert capsys.readouterr().err == ""
    hook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert others == [strange]
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_a_server_answers_with_the_message() -> None:
    """MONAI Label's clients would read "Internal Server Error" otherwise; Starlette answers by an error's class."""
    code = """
import sys, types
module = types.ModuleType("starlette.exceptions")
class HTTPException(Exception):
    def __init__(self, status_code): ...
module.HTTPException = HTTPException
sys.modules["starlette.exceptions"] = module
from common.errors import DatasetError, Problem
error = DatasetError(Problem("broken", "x.nii.gz", "Mend it."))
assert isinstance(error, HTTPException)
print(error.status_code, error.detail, error.headers)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "400 x.nii.gz: broken. Mend it. None\n"


def test_a_long_list_is_told_by_its_first_texts_and_their_number():
    texts = ["a", "b", "c"]
    assert list_some(texts, 3) == "a, b, c"
    assert list_some(texts, 2) == "a, b and 1 more"
    assert list_some(texts, 1, "; ") == "a; and 2 more"
    assert list_some([], 2) == ""


def test_a_name_cannot_write_to_the_terminal() -> None:
    name = "a\x1b[2Jb\x07\u202ec\rd\udcffe"
    told = str(GliomaError([Problem("is empty", name, "Remove it."), Problem("is Müller's", "\u4e2d", "")]))
    assert r"a\x1b[2Jb\x07\u202ec\rd\udcffe: is empty. Remove it." in told
    assert "\u4e2d: is Müller's." in told
    told.encode("utf-8")
    assert str(Problem("is empty", "a\nWhat is wrong: nothing", "")) == r"a\nWhat is wrong: nothing: is empty."
