"""Keys that a method would take no notice of are refused: a run must not look as if they had been heard."""

from __future__ import annotations

from collections.abc import Collection

from fairface.backbones.lpd import LPD_NETS
from fairface.config.schema import LPDConfig, TrainConfig
from fairface.errors import ConfigError


def refuse_source_keys(config: TrainConfig, classified: Collection[int], weighted: bool = False) -> None:
    """Heads and weights of sources that have no part in the method.

    Args:
        classified: positions of the sources that have a classifier.
        weighted: whether these sources' losses are weighted.

    Raises:
        ConfigError: a source with such a key.
    """
    for number, source in enumerate(config.sources):
        if source.head is not None and number not in classified:
            raise ConfigError(
                f"sources.{source.name}.head is set, but method {config.method} has no classifier for this source; "
                "leave it out"
            )
        if source.weight != 1 and not (weighted and number in classified):
            raise ConfigError(
                f"sources.{source.name}.weight is {source.weight:g}, but method {config.method} does not weight the "
                "loss of this source; leave it at 1"
            )


def refuse_lpd_keys(config: TrainConfig) -> None:
    """Options of Latent Part Detection where its net is trained by another method, which makes it with the defaults.

    Raises:
        ConfigError: one is set.
    """
    usual = LPDConfig()
    if config.backbone.name in LPD_NETS and config.lpd != usual:
        key = next(key for key, value in vars(config.lpd).items() if value != getattr(usual, key))
        raise ConfigError(
            f"lpd.{key} is {getattr(config.lpd, key)!r}, but method {config.method} takes {config.backbone.name} with "
            f"the defaults; set method=lpd, or leave lpd.{key} out"
        )
