"""Dice of each region beside their mean, wherever an engine's metrics are shown."""

from __future__ import annotations

from ignite.engine import Engine, Events

from common.metrics.regions import REGIONS


class RegionDice:
    """Spreads the details of a mean Dice over ``<metric>_WT``, ``_TC`` and ``_ET`` in the engine's metrics.

    Args:
        metric: name of a metric whose handler was given ``save_details=True`` and whose buffer has a column a region.
    """

    def __init__(self, metric: str = "val_mean_dice") -> None:
        self.metric = metric

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator, ahead of the handlers that show its metrics."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Add a mean over the volumes for each region."""
        means = engine.state.metric_details[self.metric].nanmean(dim=0)
        engine.state.metrics.update(
            {f"{self.metric}_{name}": float(mean) for name, mean in zip(REGIONS, means, strict=True)}
        )
