"""A bundle's workflow, started from Python."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from monai.bundle import ConfigWorkflow

from common.command_line import altered_values
from common.errors import KnobError
from common.knobs import merged_config, refuse_unknown

OPTIONS = inspect.signature(ConfigWorkflow.__init__).parameters
"""What MONAI's workflow takes for itself; everything else overrides a part of the config."""


class CheckedWorkflow(ConfigWorkflow):
    """MONAI's workflow, which refuses an override that no config defines.

    What ``check_overrides`` does for command lines, a config cannot do for Python: it sees its own values, and not who
    overrode what. MONAI's own functions take this class by its name::

        monai.bundle.run("training", config_file="configs/train.yaml", workflow_name="common.workflow.CheckedWorkflow")

    Args:
        config_file: one or several, merged in their order.
        settings: options of :class:`monai.bundle.ConfigWorkflow`, and overrides.

    Raises:
        KnobError: names each unknown override and the nearest known ones; or each path that MONAI would alter.
    """

    def __init__(self, config_file: str | Sequence[str], **settings: Any) -> None:
        files = [config_file] if isinstance(config_file, str) else list(config_file)
        overrides = [name for name in settings if name not in OPTIONS]
        altered = altered_values({name: settings[name] for name in overrides}, typed=False)
        if altered:
            raise KnobError(altered)
        refuse_unknown(overrides, merged_config(files))
        super().__init__(config_file=config_file, **settings)
