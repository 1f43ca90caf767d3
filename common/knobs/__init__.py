"""Settings from the command line: their values, merged configs, and what is wrong with them."""

from __future__ import annotations

from common.knobs.checks import check_overrides, refuse_senseless, tracking_settings
from common.knobs.configs import merged_config, parse_command_line
from common.knobs.unknown import refuse_unknown
from common.knobs.values import as_bool, as_tuple, bool_or_path, is_count, plain_knob

__all__ = [
    "as_bool",
    "as_tuple",
    "bool_or_path",
    "check_overrides",
    "is_count",
    "merged_config",
    "parse_command_line",
    "plain_knob",
    "refuse_senseless",
    "refuse_unknown",
    "tracking_settings",
]
