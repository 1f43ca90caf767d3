"""A progress bar for an engine, with the running loss where there is one."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from monai.utils.enums import CommonKeys
from tqdm import tqdm

SHOW_EVERY = 5
"""Steps between updates: reading the loss waits for the GPU."""


class Progress:
    """A bar for each epoch as a MONAI handler; silent on all but the first process.

    It is there before the first step, which may take many seconds (ignite's own bar comes after it).

    Args:
        description: what the engine does.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self.bar: tqdm | None = None

    def attach(self, engine: Engine) -> None:
        """Register with a trainer or an evaluator."""
        if idist.get_rank() > 0:
            return
        engine.add_event_handler(Events.EPOCH_STARTED, self._open)
        engine.add_event_handler(Events.ITERATION_COMPLETED(every=SHOW_EVERY), self._update)
        engine.add_event_handler(Events.EPOCH_COMPLETED | Events.COMPLETED, self._close)

    def _open(self, engine: Engine) -> None:
        epoch, epochs = engine.state.epoch, engine.state.max_epochs
        told = f"{self.description} {epoch}/{epochs}" if epochs and epochs > 1 else self.description
        self.bar = tqdm(desc=told, total=engine.state.epoch_length, leave=False, ncols=90, mininterval=0)

    def _update(self, engine: Engine) -> None:
        if self.bar is None:
            return
        done = engine.state.iteration - (engine.state.epoch - 1) * (engine.state.epoch_length or 0)
        if loss := _loss_of(engine.state.output):
            self.bar.set_postfix(loss, refresh=False)
        self.bar.update(done - self.bar.n)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _loss_of(output: Any) -> dict[str, float]:
    first = output[0] if isinstance(output, list) and output else {}
    loss = first.get(CommonKeys.LOSS) if isinstance(first, dict) else None
    return {} if loss is None else {"loss": float(loss)}
