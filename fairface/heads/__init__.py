"""Embedding and label to logits, one file per head.

:data:`HEADS` maps a name to a factory ``(config, embedding, classes) -> Head``. The margin presets:

==================  =======================  ==================================================================
name                margins by default       what it is
==================  =======================  ==================================================================
softmax             -                        fully connected, no bias, nothing normalised
norm_softmax        -                        s * cosine
arcface             m2 0.5                   ArcFace as in insightface and the fair-face system, exact gradient
arcface_linear      m2 0.5                   the same, continued downwards beyond pi (original code, VirFace)
arcface_easy        m2 0.5                   the same, margin below 90 degrees only
arcface_clamped     m2 0.5                   AdaFace's ArcFace: angle held at pi, cosines within 1 - 1e-4
cosface             m3 0.35                  CosFace
cosface_clamped     m3 0.4                   AdaFace's CosFace: cosines within 1 - 1e-4
combined            m1 1, m2 0.3, m3 0.2     all three
==================  =======================  ==================================================================
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads.base import Head
from fairface.heads.margin import MarginHead
from fairface.heads.softmax import SoftmaxHead

Factory = Callable[[HeadConfig, int, int], Head]


@dataclass(frozen=True)
class Preset:
    """A margin head's own margins (``None`` = it has no such margin) and its variant."""

    m1: float | None = None
    m2: float | None = None
    m3: float | None = None
    beyond_pi: str = "cos"
    clamp: float = 0.0


PRESETS = {
    "norm_softmax": Preset(),
    "arcface": Preset(m2=0.5),
    "arcface_linear": Preset(m2=0.5, beyond_pi="linear"),
    "arcface_easy": Preset(m2=0.5, beyond_pi="easy"),
    "arcface_clamped": Preset(m2=0.5, beyond_pi="clip", clamp=1e-4),
    "cosface": Preset(m3=0.35),
    "cosface_clamped": Preset(m3=0.4, clamp=1e-4),
    "combined": Preset(m1=1.0, m2=0.3, m3=0.2),
}


def _margin(name: str, config: HeadConfig, embedding: int, classes: int) -> Head:
    preset = PRESETS[name]
    margins = {}
    for key, neutral in (("m1", 1.0), ("m2", 0.0), ("m3", 0.0)):
        own, given = getattr(preset, key), getattr(config, key)
        if own is None and given != neutral:
            raise ConfigError(f"head.{key} is {given:g}, but {name} has no {key}; leave it out or take combined")
        margins[key] = neutral if own is None else (given if given != neutral else own)
    return MarginHead(embedding, classes, config.s, beyond_pi=preset.beyond_pi, clamp=preset.clamp, **margins)


def _softmax(config: HeadConfig, embedding: int, classes: int) -> Head:
    if (config.m1, config.m2, config.m3) != (1.0, 0.0, 0.0):
        raise ConfigError("head.name is softmax, which has no margins; leave head.m1, m2 and m3 out")
    return SoftmaxHead(embedding, classes)


HEADS: dict[str, Factory] = {"softmax": _softmax, **{name: partial(_margin, name) for name in PRESETS}}


def build_head(config: HeadConfig, embedding: int, classes: int) -> Head:
    """The head that ``config`` names, not yet initialised. A margin left at its neutral value is the preset's own.

    Raises:
        ConfigError: unknown name or option, a margin that this head does not have, a value out of range.
    """
    factory = HEADS.get(config.name)
    if factory is None:
        close = difflib.get_close_matches(config.name, HEADS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(HEADS)}"
        raise ConfigError(f"head.name is {config.name!r}, which is no head; {hint}")
    if classes < 1 or embedding < 1:
        raise ConfigError(f"a head for {classes} classes and embeddings of {embedding} values; both must be above 0")
    if config.options:
        raise ConfigError(f"head.options: {config.name} knows no {next(iter(config.options))!r}; leave it out")
    return factory(config, embedding, classes)
