"""What cannot be trained by several workers, told before the run's folder is touched."""

from __future__ import annotations

from collections.abc import Sequence

from fairface.config.schema import TrainConfig
from fairface.data.loading.source import Source
from fairface.errors import ConfigError
from fairface.parallel import World
from fairface.quantity import quantity


def check_workers(config: TrainConfig, sources: Sequence[Source], world: World) -> None:
    """Whether several workers can train this.

    Raises:
        ConfigError: an option whose rows each worker would choose by itself, or fewer images than devices.
    """
    if world.size == 1:
        return
    if config.method == "virface" and config.virface.overlap:
        raise ConfigError(
            "virface.overlap leaves each worker another number of virtual classes; set it to 0, or leave out --workers"
        )
    for source in sources:
        if len(source.dataset) < world.devices:
            raise ConfigError(
                f"source {source.name} has {quantity(len(source.dataset), 'image')} for "
                f"{quantity(world.devices, 'device')} of {quantity(world.size, 'worker')}; use fewer workers"
            )
