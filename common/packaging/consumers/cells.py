"""The cells of the table that need nothing but the bundle's own packages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from common.commands import bundle_command
from common.packaging.consumers import python_program
from common.packaging.consumers.agreement import TOLERANCE, Wrong, check_same
from common.packaging.consumers.environment import last_line, last_lines
from common.packaging.consumers.workplace import Workplace
from common.packaging.exports import network_and_example
from common.packaging.verification import verify_package

REMEDY = "make package"
CONFIGS = {run_id: tuple(configs) for run_id, configs in python_program.CONFIGS.items()}


def folder_alone(place: Workplace) -> str:
    """A bundle's folder, copied without the code: each command ends with what makes it whole."""
    root = place.folder / "alone" / place.trial.name
    shutil.copytree(place.root, root)
    for name, words in _commands(place, Path(), place.folder / "out_alone"):
        done = place.bare.run(words, root)
        if done.returncode == 0 or REMEDY not in last_line(done):
            raise Wrong(f"{name} does not name {REMEDY}:\n{last_lines(done)}")
    return f"names `{REMEDY}`"


def zip_elsewhere(place: Workplace) -> str:
    """From inside the unzipped package, from another folder, and from Python: training, judging, applying, export."""
    package, elsewhere = place.unzip("zip"), place.folder / "elsewhere"
    elsewhere.mkdir()
    for way, root, cwd in (("inside", Path(), package), ("outside", package, elsewhere)):
        output = place.folder / f"out_{way}"
        for name, words in _commands(place, root, output):
            done = place.bare.run(words, cwd)
            if done.returncode:
                raise Wrong(f"{name} from {way} fails:\n{last_lines(done)}")
        _check_runs(place, output)
    if left := [path.name for path in elsewhere.iterdir()]:
        raise Wrong(f"the current folder is littered with {', '.join(left)}")
    _answer(place, "python")
    _check_runs(place, place.folder / "out_python")
    return "ok: inside, outside, Python"


def load(place: Workplace) -> str:
    """``monai.bundle.load``: the network with the weights of the file, and the logits of its TorchScript."""
    told = _answer(place, "load")
    if not told["same_weights"] or told["apart"] > TOLERANCE:
        raise Wrong(f"other weights or logits: {told}")
    return "ok"


def monai_algo(place: Workplace) -> str:
    """``MonaiAlgo``: the evaluation of this repository, and a training that moves the weights."""
    told = _answer(place, "client")
    check_same(place.folder / "client" / place.trial.name / "eval", place.judged)
    if not told["moved"]:
        raise Wrong("training did not move the weights")
    return "ok"


def verified(place: Workplace, zoo: Path | None = None, schema: Path | None = None) -> str:
    """The zoo's own checker in full mode, where its file is given; else our checks, which stand in for it."""
    if zoo is None:
        verify_package(place.package.folder, schema)
        return "`make verify` ok"
    package = place.unzip("zoo")
    (package.parent / "model_info.json").write_text("{}", encoding="utf-8")
    if schema is not None:
        (package / "eval").mkdir()
        shutil.copyfile(schema / _schema_name(package) if schema.is_dir() else schema, package / "eval" / "schema.json")
    program = f"import sys; sys.path.insert(0, {str(zoo.parent)!r}); from {zoo.stem} import verify; "
    program += f"verify({place.trial.name!r}, {str(package.parent)!r}, 'full')"
    done = place.bare.run(["-c", program], place.folder)
    if done.returncode:
        raise Wrong(f"the zoo's checker fails:\n{last_lines(done)}")
    return "ok"


def _schema_name(package: Path) -> str:
    metadata = json.loads((package / "configs" / "metadata.json").read_text(encoding="utf-8"))
    return str(metadata["schema"]).rpartition("/")[2]


def _knobs(place: Workplace, output: Path) -> dict[str, dict[str, Any]]:
    """The knobs of each run; the package knows those of its network."""
    run = {**place.trial.learning, "weights": str(output / "model.pt"), "output_dir": str(output / "eval")}
    return {
        "training": run,
        "evaluating": run,
        "inferring": {**place.trial.applied, "output_dir": str(output / "predicted")},
    }


def _commands(place: Workplace, root: Path, output: Path) -> Iterator[tuple[str, list[str]]]:
    """The four commands of a bundle; without ``root`` they are those of a person in the bundle's folder."""
    for run_id, knobs in _knobs(place, output).items():
        words = bundle_command(root, run_id, CONFIGS[run_id], knobs)
        if root == Path():
            at = words.index("--bundle_root")
            del words[at : at + 2]
        yield run_id, words
    files = {"config_file": root / "configs" / "inference.yaml", "meta_file": root / "configs" / "metadata.json"}
    files |= {"ckpt_file": root / "models" / "model.pt", "filepath": output / "model.ts"}
    files |= {"bundle_root": root} if root != Path() else {}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    yield "ckpt_export", ["-m", "monai.bundle", "ckpt_export", "--net_id", "network_def", *options]


def _check_runs(place: Workplace, output: Path) -> None:
    """What was trained is judged as this repository's training is; the package's weights predict and are exported."""
    check_same(output / "eval", place.judged)
    check_same(output / "predicted", place.predicted)
    weights = torch.load(place.package.folder / "models" / "model.pt", weights_only=True)
    exported = torch.jit.load(str(output / "model.ts")).state_dict()
    if not all(torch.equal(exported[name], value) for name, value in weights.items()):
        raise Wrong("model.ts has other weights")


def _answer(place: Workplace, part: str) -> Mapping[str, Any]:
    """What :mod:`python_program` says of one of its parts; it runs once."""
    answers, log = place.folder / "answers", place.folder / "answers" / "log.txt"
    if not answers.exists():
        answers.mkdir()
        done = place.bare.run(["-I", python_program.__file__, json.dumps(_settings(place, answers))], answers)
        log.write_text(done.stderr, encoding="utf-8")
    if not (answers / f"{part}.json").is_file():
        told = log.read_text(encoding="utf-8").partition(f"--- {part}\n")[2].partition("\n--- ")[0].strip()
        raise Wrong(f"from Python:\n{told}")
    return dict(json.loads((answers / f"{part}.json").read_text(encoding="utf-8")))


def _settings(place: Workplace, answers: Path) -> dict[str, Any]:
    _, example = network_and_example(place.package.folder, "inference")
    packages = {part: str(place.unzip(part)) for part in python_program.PARTS}
    written = place.folder / "out_python"
    shape = list(example[0].shape[1:])
    return {
        "output": str(answers),
        "packages": packages,
        "exported": str(written / "model.ts"),
        "shape": shape,
        "client": dict(place.trial.learning),
        **_knobs(place, written),
    }


CELLS: dict[str, Callable[[Workplace], str]] = {
    "folder alone": folder_alone,
    "zip elsewhere": zip_elsewhere,
    "load": load,
    "MonaiAlgo": monai_algo,
}
