"""The steps of the application as operators of the MONAI Deploy App SDK; what they do is in ``common.studies``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.deploy.core import Fragment, Operator, OperatorSpec

from common.studies import AppliedBundle, SeriesRule, make_result, predict_study, read_study, write_result


class StudyReaderOperator(Operator):
    """Choose the series of a study that the bundle reads, check that they fit together, and emit ``study``.

    Args:
        fragment: the application.
        folder: of the study.
        rules: which series is which modality.
        modalities: that the bundle reads.
        need_regular: whether missing slices are refused.
    """

    def __init__(
        self,
        fragment: Fragment,
        *args: Any,
        folder: Path,
        rules: Sequence[SeriesRule],
        modalities: Sequence[str],
        need_regular: bool,
        **kwargs: Any,
    ) -> None:
        self.folder, self.rules = folder, rules
        self.modalities, self.need_regular = modalities, need_regular
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        spec.output("study")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        study = read_study(self.folder, self.rules, self.modalities, need_regular=self.need_regular)
        op_output.emit(study, "study")


class BundleOperator(Operator):
    """Apply the bundle to ``study`` and emit it with the ``prediction``.

    Args:
        fragment: the application.
        bundle: with its weights.
        clinical: age and resection.
        age_from_header: take the age from the study's header.
    """

    def __init__(
        self,
        fragment: Fragment,
        *args: Any,
        bundle: AppliedBundle,
        clinical: Mapping[str, Any],
        age_from_header: bool,
        **kwargs: Any,
    ) -> None:
        self.bundle, self.clinical, self.age_from_header = bundle, clinical, age_from_header
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        spec.input("study")
        spec.output("predicted")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        study = op_input.receive("study")
        clinical = {**self.clinical, "age": study.age} if self.age_from_header else self.clinical
        op_output.emit((study, predict_study(self.bundle, study, clinical)), "predicted")


class ResultWriterOperator(Operator):
    """Write what was ``predicted`` as DICOM SEG or SR, to the file ``written``.

    Args:
        fragment: the application.
        bundle: that predicted.
        folder: for the file, which is named by its UID.
    """

    def __init__(self, fragment: Fragment, *args: Any, bundle: AppliedBundle, folder: Path, **kwargs: Any) -> None:
        self.bundle, self.folder = bundle, folder
        self.written: Path | None = None
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        spec.input("predicted")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        study, prediction = op_input.receive("predicted")
        self.written = write_result(self.folder, make_result(self.bundle, study, prediction))
