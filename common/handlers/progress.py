"""A progress bar for an engine, with the running loss where there is one."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine
from ignite.handlers import ProgressBar
from monai.utils.enums import CommonKeys

SHOW_EVERY = 5
"""Steps between updates: reading the loss waits for the GPU."""


class Progress:
    """ignite's progress bar as a MONAI handler; silent on all but the first process.

    Args:
        description: what the engine does.
    """

    def __init__(self, description: str) -> None:
        self.description = description

    def attach(self, engine: Engine) -> None:
        """Register with a trainer or an evaluator."""
        if idist.get_rank() > 0:
            return
        bar = ProgressBar(persist=False, desc=self.description, ncols=90)
        bar.attach(engine, output_transform=self._loss, event_name=_every(SHOW_EVERY))

    def _loss(self, output: Any) -> dict[str, float]:
        first = output[0] if isinstance(output, list) and output else {}
        loss = first.get(CommonKeys.LOSS) if isinstance(first, dict) else None
        return {} if loss is None else {"loss": float(loss)}


def _every(steps: int) -> Any:
    from ignite.engine import Events

    return Events.ITERATION_COMPLETED(every=steps)
