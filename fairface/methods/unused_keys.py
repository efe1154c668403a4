"""Keys that a method would take no notice of are refused: a run must not look as if they had been heard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fairface.backbones.lpd import LPD_NETS
from fairface.config.schema import HeadConfig, LPDConfig, OptimizerConfig, TrainConfig, TripletConfig
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


def refuse_classifier_keys(config: TrainConfig) -> None:
    """Keys of a classifier, and of a loss beside its own, for a method that has triplets alone.

    Raises:
        ConfigError: one is set.
    """
    found = [(f"head.{key}", value, usual) for key, value, usual in _changed(config.head, HeadConfig())]
    found += [("optimizer.head_lr_mult", config.optimizer.head_lr_mult, OptimizerConfig().head_lr_mult)]
    found += [("triplet.weight", config.triplet.weight, TripletConfig().weight)]
    for key, value, usual in found:
        if value != usual:
            raise ConfigError(
                f"{key} is {value!r}, but method {config.method} has no classifier; leave it at {usual!r}, or set "
                "method=fused for a class loss beside the triplets"
            )


def refuse_head_deviation(head: HeadConfig) -> None:
    """The deviation of class weights, for which Latent Part Detection has a key of its own.

    Raises:
        ConfigError: it is set.
    """
    if head.deviation != HeadConfig().deviation:
        raise ConfigError(
            f"head.deviation is {head.deviation!r}, but method lpd takes lpd.head_deviation; set that one instead"
        )


def refuse_lpd_keys(config: TrainConfig) -> None:
    """Options of Latent Part Detection where its net is trained by another method, which makes it with the defaults.

    Raises:
        ConfigError: one is set.
    """
    if config.backbone.name not in LPD_NETS:
        return
    for key, value, _ in _changed(config.lpd, LPDConfig()):
        raise ConfigError(
            f"lpd.{key} is {value!r}, but method {config.method} takes {config.backbone.name} with the defaults; set "
            f"method=lpd, or leave lpd.{key} out"
        )


def _changed(group: Any, usual: Any) -> list[tuple[str, Any, Any]]:
    """The keys of a group that are not as usual: key, value and what is usual."""
    return [(key, value, getattr(usual, key)) for key, value in vars(group).items() if value != getattr(usual, key)]
