"""MONAI's ``--tracking mlflow``, with a stand-in for MLflow that remembers what it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from monai.handlers import mlflow_handler

from common.errors import KnobError
from common.knobs import check_overrides
from common.workflow import CheckedWorkflow

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
TRAINS = sorted(BUNDLES.glob("*/configs/train*.yaml"))
INFERENCES = sorted(BUNDLES.glob("*/configs/inference*.yaml"))


def name_of(config: Path) -> str:
    return f"{config.parents[1].name}-{config.stem}"


def opened(config: Path, *overlays: str, bundle_root: Path, **settings: Any) -> Any:
    files = [str(config), *(str(config.with_name(f"{name}.yaml")) for name in overlays)]
    return CheckedWorkflow(files, tracking="mlflow", logging_file=False, bundle_root=str(bundle_root), **settings)


@pytest.mark.parametrize("config", TRAINS, ids=name_of)
def test_monai_finds_where_to_track_trainings_and_evaluations(config: Path, tmp_path: Path) -> None:
    training = opened(config, workflow_type="train", bundle_root=tmp_path).parser
    assert training["train#handlers"][-1]["output_transform"] == "$monai.handlers.from_engine(['loss'], first=True)"
    assert training["validate#handlers"][-1]["_target_"] == "MLFlowHandler"
    evaluation = opened(config, "evaluate", workflow_type="train", bundle_root=tmp_path).parser
    assert evaluation["validate#handlers"][-1]["_target_"] == "MLFlowHandler"
    assert evaluation["run"][-1].startswith("$running.end_tracking(")


@pytest.mark.parametrize("config", INFERENCES, ids=name_of)
def test_monai_finds_where_to_track_inference(config: Path, tmp_path: Path) -> None:
    parser = opened(config, workflow_type="infer", bundle_root=tmp_path).parser
    assert parser["handlers"][-1]["_target_"] == "MLFlowHandler"


def test_what_tracking_adds_may_be_set_and_nothing_else(tmp_path: Path) -> None:
    line = [
        "run",
        "training",
        "--config_file",
        str(TRAINS[0]),
        "--run_name",
        "fold0",
        "--tracking_uri",
        "sqlite:///a.db",
    ]
    check_overrides([*line, "--tracking", "mlflow"])
    with pytest.raises(KnobError, match="--run_name"):
        check_overrides(line)
    with pytest.raises(KnobError, match=r"--run_nam: .*--run_name"):
        check_overrides([*line, "--tracking", "mlflow", "--run_nam", "fold1"])
    workflow = opened(TRAINS[0], bundle_root=tmp_path, workflow_type="train", run_name="fold0")
    assert workflow.parser["run_name"] == "fold0"
    own = tmp_path / "tracking.yaml"
    own.write_text("handlers_id: {}\nconfigs: {project: glioma}\n")
    check_overrides([*line[:4], "--tracking", str(own), "--project", "survival"])


class Store:
    """The runs of a tracking server, for all of its clients."""

    def __init__(self) -> None:
        self.runs: dict[str, Any] = {}
        entity = lambda key, value, *step: SimpleNamespace(key=key, value=value, step=step[-1:])  # noqa: E731
        status = SimpleNamespace(FINISHED="FINISHED", to_string=str)
        self.entities = SimpleNamespace(
            Param=entity, Metric=entity, RunStatus=status, LifecycleStage=SimpleNamespace(ACTIVE="active")
        )

    def MlflowClient(self, tracking_uri: str) -> Store:
        return self

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id=name, lifecycle_stage="active")

    def search_runs(self, experiment_id: str) -> list[Any]:
        return list(self.runs.values())

    def create_run(self, experiment_id: str, run_name: str) -> Any:
        info = SimpleNamespace(run_id=str(len(self.runs)), run_name=run_name, status="RUNNING")
        data = SimpleNamespace(params={}, metrics={})
        return self.runs.setdefault(info.run_id, SimpleNamespace(info=info, data=data, artifacts=[]))

    def get_run(self, run_id: str) -> Any:
        return self.runs[run_id]

    def log_batch(self, run_id: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
        self.runs[run_id].data.params.update({one.key: one.value for one in params})
        for one in metrics:
            self.runs[run_id].data.metrics.setdefault(one.key, []).append(float(one.value))

    def log_artifact(self, run_id: str, path: str) -> None:
        self.runs[run_id].artifacts.append(path)

    def set_terminated(self, run_id: str, status: str) -> None:
        self.runs[run_id].info.status = status


@pytest.mark.slow
@pytest.mark.parametrize(("name", "measure"), [("segmentation", "val_mean_dice"), ("grade", "val_log_likelihood")])
def test_a_training_and_its_evaluation_are_runs_of_their_own(
    name: str, measure: str, begin_case: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    monkeypatch.setattr(mlflow_handler, "mlflow", store)
    training = begin_case(name, tmp_path, tracking="mlflow", epochs=2)
    training.run()
    begin_case(name, tmp_path, "evaluate", tracking="mlflow").run()
    trained, judged = store.runs.values()
    assert {trained.info.status, judged.info.status} == {"FINISHED"}, "else the next training is recorded in it"
    assert trained.data.params["max_epochs"] == "2"
    assert len(trained.data.metrics["train_loss"]) == 2 * len(training.trainer.data_loader)
    assert (len(trained.data.metrics[measure]), len(judged.data.metrics[measure])) == (2, 1)
    (config,) = trained.artifacts
    assert Path(config).is_file()
    assert Path(config).parent == tmp_path / "eval"
