"""A bundle's workflow, started from Python."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from monai.bundle import ConfigWorkflow

from common.command_line import altered_values
from common.errors import KnobError
from common.knobs import merged_config, refuse_senseless, refuse_unknown, tracking_settings

OPTIONS = inspect.signature(ConfigWorkflow.__init__).parameters
"""Arguments of MONAI's workflow; everything else overrides a part of the config."""


class CheckedWorkflow(ConfigWorkflow):
    """MONAI's workflow, which refuses an override that no config defines.

    ``check_overrides`` does this for command lines. A config cannot do it for Python, since it does not know which of
    its values were overridden. MONAI's own functions take this class by its name::

        monai.bundle.run("training", config_file="configs/train.yaml", workflow_name="common.workflow.CheckedWorkflow")

    Args:
        config_file: one or several, merged in their order.
        settings: options of :class:`monai.bundle.ConfigWorkflow`, and overrides.

    Raises:
        KnobError: names each unknown override and the nearest known ones; or each path that MONAI would alter, or each
            value that makes no sense.
    """

    def __init__(self, config_file: str | Sequence[str], **settings: Any) -> None:
        files = [config_file] if isinstance(config_file, str) else list(config_file)
        overrides = [name for name in settings if name not in OPTIONS]
        altered = altered_values({name: settings[name] for name in overrides}, typed=False)
        if altered:
            raise KnobError(altered)
        refuse_unknown(overrides, {**tracking_settings(settings.get("tracking")), **merged_config(files)})
        refuse_senseless({name: settings[name] for name in overrides})
        super().__init__(config_file=config_file, **settings)
