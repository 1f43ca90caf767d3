"""How a network of a table is made: the commands of ``monai.bundle``, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.commands import config_files
from common.errors import KnobError, Problem
from common.reproduction.options import Options, check_options
from common.reproduction.table_plan import Column, Model, PaperTable
from common.reproduction.table_run import TableRun
from common.runs.settings import known_keys, take_known
from common.runs.steps import OF_TRAINING, Step, paper_overlay
from common.tasks import grade, mgmt, segmentation, survival, tumour, volume_grade

SEGMENTATION, GRADE, SURVIVAL, TUMOUR, MGMT, VOLUME = (
    module.TASK.bundle for module in (segmentation, grade, survival, tumour, mgmt, volume_grade)
)
ENCODER = "resnet18"
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
OF_FIRST_STAGE = ("pretrained", "trainable")
"""Settings of the command that the later stages of P3's segmentation must not get: they would undo these stages."""


def plan_table(table: PaperTable, options: Options) -> list[TableRun]:
    """All runs of a table, but for those that a search decides on.

    Raises:
        KnobError: with what is wrong with the options.
    """
    runs = plan_runs(table, replace(options, pretrained_dir=None))
    files = {step.files for run in runs for step in run.steps}
    check_options(table, options, {key for group in files for key in known_keys(group)})
    return plan_runs(table, options)


def plan_runs(table: PaperTable, options: Options, models: tuple[Model, ...] | None = None) -> list[TableRun]:
    """The runs of a table's models, or of some of them.

    Args:
        table: to make.
        options: on what and how.
        models: some of the table's models; all of them by default.

    Raises:
        KnobError: the folder of pre-trained weights lacks some; names all that are missing.
    """
    runs: list[TableRun] = []
    problems: list[Problem] = []
    for model in table.models if models is None else models:
        for column in options.columns:
            for repeat in range(options.repeats_of(table)):
                try:
                    runs.append(_plan_run(model, column, repeat, table, options))
                except KnobError as error:
                    problems += error.problems
    if problems:
        raise KnobError(dict.fromkeys(problems))
    return runs


def _plan_run(model: Model, column: Column, repeat: int, table: PaperTable, options: Options) -> TableRun:
    folder = options.output / model.name / (f"{column.name}-{repeat}" if repeat else column.name)
    split: dict[str, Any] = {"fold": repeat}
    if column.split in table.drawn:
        split["folds"] = max(options.repeats_of(table), table.repeats)
    builder = _StepBuilder(model, column, folder, split, options)
    name = f"{model.name}/{folder.name}"
    return TableRun(name, folder, RECIPES[model.recipe](builder), model, column, repeat)


@dataclass(frozen=True)
class _StepBuilder:
    """Makes the commands of one run; all recipes use it."""

    model: Model
    column: Column
    folder: Path
    split: Mapping[str, Any]
    options: Options

    def train(self, bundle: str, *configs: str, folder: Path, backbone: str | None, **settings: Any) -> Step:
        """Train into a folder: run files and ``model.pt``; without a backbone there are no weights to find."""
        skipped = OF_FIRST_STAGE if "init_weights" in settings else ()
        weights = None if skipped or backbone is None else self._pretrained(backbone)
        given = {**settings, "output_dir": folder, "weights": folder / "model.pt"}
        return self._step("training", bundle, configs, given, skipped, {"pretrained": weights} if weights else {})

    def evaluate(
        self, bundle: str, *configs: str, weights: Path, overlays: tuple[str, ...] = ("evaluate",), **settings: Any
    ) -> Step:
        """Judge weights and leave the results in the run's own folder."""
        side = self.model.side if self.column.split == "patient" else "test"
        given = {"output_dir": self.folder, **settings, "weights": weights, "side": settings.get("side", side)}
        if given["side"] != "test":
            given["allow_trained_on"] = True  # that side was used in training, and the table says so
        return self._step("evaluating", bundle, configs, given, OF_TRAINING, overlays=overlays)

    def evaluate_also(self, bundle: str, *configs: str, weights: Path) -> tuple[Step, ...]:
        """Judge them on the model's further sides, each in a folder of its name."""
        return tuple(
            self.evaluate(bundle, *configs, weights=weights, side=side, output_dir=self.folder / side)
            for side in self.model.also.get(self.column.split, ())
        )

    def _step(
        self,
        run_id: str,
        bundle: str,
        configs: tuple[str, ...],
        given: Mapping[str, Any],
        skipped: tuple[str, ...] = (),
        more: Mapping[str, Any] | None = None,
        overlays: tuple[str, ...] = (),
    ) -> Step:
        root = self.options.bundles / bundle
        paper = (paper_overlay(configs[0]),) if self.column.recipe == "paper" else ()
        merged = (*configs, *paper, *overlays)
        given_before = {**self.model.knobs_of(self.column), **self.split, **self.options.settings}
        wanted = {name: value for name, value in given_before.items() if name not in skipped}
        files = config_files(root, merged)
        healthy = {"healthy_dir": self.options.healthy_dir} if self.options.healthy_dir else {}
        settings = {
            "dataset_dir": self.options.dataset_dir,
            **healthy,
            **take_known(wanted, files),
            **given,
            **(more or {}),
        }
        if "split_file" in settings:
            settings = {name: value for name, value in settings.items() if name not in ("fold", "folds")}
        return Step(run_id, root, merged, settings, self.options.device)

    def _pretrained(self, backbone: str) -> Path | None:
        folder = self.options.pretrained_dir
        if folder is None:
            return None
        found = [path for suffix in WEIGHT_SUFFIXES if (path := folder / f"{backbone}{suffix}").is_file()]
        if not found:
            hint = f"Put them there as {backbone}.safetensors or {backbone}.pth."
            raise KnobError(
                Problem(f"it holds no pre-trained weights of {backbone}", f"--pretrained_dir {folder}", hint)
            )
        return found[0]

    def backbone(self, default: str) -> str:
        """The backbone of this run."""
        return str(self.options.settings.get("backbone", self.model.settings.get("backbone", default)))


def _slices(builder: _StepBuilder, bundle: str) -> tuple[Step, ...]:
    """P1: three slices, and clinical values on request."""
    folder, backbone = builder.folder, builder.backbone("densenet121")
    train = builder.train(bundle, "train", folder=folder, backbone=backbone)
    return train, builder.evaluate(bundle, "train", weights=folder / "model.pt")


def _masks(builder: _StepBuilder) -> tuple[Step, ...]:
    """P3's survival network on true masks; whatever it has learned from, slices without tumour are judged too."""
    folder, backbone = builder.folder, builder.backbone("resnet50")
    train = builder.train(SURVIVAL, "train_masks", folder=folder, backbone=backbone)
    return train, builder.evaluate(SURVIVAL, "train_masks", weights=folder / "model.pt", empty_slices=True)


def _segmentation(builder: _StepBuilder) -> tuple[Step, ...]:
    """P3's U-Net, judged after its last stage."""
    stages = _three_stages(builder, builder.folder)
    return (*stages, builder.evaluate(SEGMENTATION, "train", "stage3", weights=_weights_of(stages[-1])))


def _three_stages(builder: _StepBuilder, folder: Path, **split: Any) -> list[Step]:
    """Everything, then the deep head alone, then the same at a lower learning rate.

    Args:
        builder: of the run.
        folder: for a folder of each stage.
        split: knobs of a split other than the run's.
    """
    stages: list[Step] = []
    for stage in (1, 2, 3):
        configs = ("train", f"stage{stage}") if stage > 1 else ("train",)
        start: dict[str, Any] = {"init_weights": _weights_of(stages[-1])} if stages else {}
        own = folder / f"stage{stage}"
        stages.append(builder.train(SEGMENTATION, *configs, folder=own, backbone=ENCODER, **start, **split))
    return stages


def _weights_of(step: Step) -> Path:
    return Path(step.settings["weights"])


def _combined(builder: _StepBuilder) -> tuple[Step, ...]:
    """P3's combined system: survival from masks that the U-Net makes after its last stage."""
    folder, backbone = builder.folder, builder.backbone("resnet50")
    steps = [builder.train(SURVIVAL, "train_masks", folder=folder, backbone=backbone)]
    masks = builder.options.segmentation
    if masks is None:
        # one split for both networks, or the U-Net would have learned from patients that the other is judged on
        split = {"split_file": folder / "split.json"} if builder.column.split == "patient" else {}
        steps += _three_stages(builder, folder / "segmentation", **split)
        masks = _weights_of(steps[-1])
    overlays = ("evaluate", "evaluate_from_images")
    judged = builder.evaluate(
        SURVIVAL,
        "train_masks",
        weights=folder / "model.pt",
        overlays=overlays,
        segmentation=masks,
        empty_slices=True,
    )
    return (*steps, judged)


def _tumour(builder: _StepBuilder) -> tuple[Step, ...]:
    """P2's network A, from scratch, or B, on a frozen backbone."""
    weights = builder.folder / "model.pt"
    backbone = builder.backbone("resnetv2_50") if builder.model.settings["net"] == "B" else None
    train = builder.train(TUMOUR, "train", folder=builder.folder, backbone=backbone)
    also = builder.evaluate_also(TUMOUR, "train", weights=weights)
    return train, *also, builder.evaluate(TUMOUR, "train", weights=weights)


def _mgmt(builder: _StepBuilder) -> tuple[Step, ...]:
    """P5's ResNet18 on slices."""
    weights = builder.folder / "model.pt"
    train = builder.train(MGMT, "train", folder=builder.folder, backbone=builder.backbone("resnet18"))
    also = builder.evaluate_also(MGMT, "train", weights=weights)
    return train, *also, builder.evaluate(MGMT, "train", weights=weights)


def _volume(builder: _StepBuilder) -> tuple[Step, ...]:
    """P4's networks of whole volumes, pre-trained or not."""
    weights = builder.folder / "model.pt"
    backbone = builder.backbone("mc3_18") if builder.model.settings["pretrained"] else None
    train = builder.train(VOLUME, "train", folder=builder.folder, backbone=backbone)
    return train, builder.evaluate(VOLUME, "train", weights=weights)


RECIPES: Mapping[str, Callable[[_StepBuilder], tuple[Step, ...]]] = {
    "grade slices": lambda builder: _slices(builder, GRADE),
    "survival slices": lambda builder: _slices(builder, SURVIVAL),
    "survival masks": _masks,
    "segmentation": _segmentation,
    "combined": _combined,
    "tumour": _tumour,
    "mgmt": _mgmt,
    "volume": _volume,
}
