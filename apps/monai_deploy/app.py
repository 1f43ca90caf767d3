"""The application: study reader → bundle → result writer."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from holoscan.conditions import CountCondition
from holoscan.logger import LogLevel, set_log_level
from monai.deploy.core import Application
from operators import BundleOperator, ResultWriterOperator, StudyReaderOperator

from common.studies import AppliedBundle, read_clinical_values, read_rules


class GliomaApp(Application):
    """A bundle applied to one DICOM study.

    Args:
        settings: the command line.
    """

    def __init__(self, settings: argparse.Namespace) -> None:
        self.settings = settings
        super().__init__([sys.executable, "monai_deploy"])

    def compose(self) -> None:
        settings = self.settings
        bundle = AppliedBundle(settings.model, settings.series)
        reader = StudyReaderOperator(
            self,
            CountCondition(self, 1),
            folder=settings.input,
            rules=read_rules(settings.rules),
            modalities=bundle.modalities,
            need_regular=bundle.data_type == "nibabel",
            name="study_reader",
        )
        applied = BundleOperator(
            self,
            bundle=bundle,
            clinical=read_clinical_values(
                settings.clinical,
                settings.age,
                settings.resection,
                age_from_header=settings.age_from_header,
            ),
            age_from_header=settings.age_from_header,
            name="bundle",
        )
        self.writer = ResultWriterOperator(self, bundle=bundle, folder=settings.output, name="result_writer")
        self.add_flow(reader, applied, {("study", "study")})
        self.add_flow(applied, self.writer, {("predicted", "predicted")})


def run(settings: argparse.Namespace) -> Path:
    """Run the application; what goes wrong is raised, so Holoscan need not log it too.

    Returns:
        The file that was written.
    """
    if "HOLOSCAN_LOG_LEVEL" not in os.environ:
        set_log_level(LogLevel.CRITICAL)
    app = GliomaApp(settings)
    app.run()
    return app.writer.written
