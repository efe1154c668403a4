"""Embedding and label to logits, one file per head.

:data:`HEADS` maps a name to a factory ``config -> Margin``; class weights and a margin make a :class:`Classifier`.
``head.s`` is every head's scale
(circle loss's gamma), ``head.m1``, ``m2``, ``m3`` are margins; what stands in brackets is set in ``head.options``.

==================  =======================  ==================================================================
name                by default               what it is
==================  =======================  ==================================================================
softmax             -                        fully connected, no bias, nothing normalised
norm_softmax        -                        s * cosine
arcface             m2 0.5                   ArcFace as in insightface and the fair-face system, exact gradient
arcface_linear      m2 0.5                   the same, continued downwards beyond pi (original code, VirFace, UFace)
arcface_easy        m2 0.5                   the same, margin below 90 degrees only
arcface_clamped     m2 0.5                   AdaFace's ArcFace: angle held at pi, cosines within 1 - 1e-4
cosface             m3 0.35                  CosFace
cosface_clamped     m3 0.4                   AdaFace's CosFace: cosines within 1 - 1e-4
combined            m1 1, m2 0.3, m3 0.2     all three
svx                 m2 0.5 [mask 1.2]        SV-X, the fair-face system's marginface (there mask is 1: arcface)
mv_am               m3 0.35 [mask 1.12]      MV-Softmax on CosFace
mv_arc              m2 0.35 [mask 1.12]      MV-Softmax on ArcFace
mv_am_easy          m3 0.35 [mask 1.12]      the same as published: margin for cosines above m3 only
mv_arc_easy         m2 0.35 [mask 1.12]      the same as published: margin below 90 degrees only
softmax_circle      [margin 0.25]            circle loss over classes
arc_circle          [theta_margin 2.042]     the same on angles, the fair-face system's main loss
fix_arc_circle      [theta_margin 2.042]     the same, its curves fixed
adaface             [m 0.4, h 0.333,         margin by the embedding's length; whole-batch statistics
                    t_alpha 0.01]
curricularface      m2 0.5 [alpha 0.1]       hard classes count more as the training gets on; whole-batch statistic
==================  =======================  ==================================================================

``head.interclass_filter`` puts a class filter for noisy data before any of them but softmax (:mod:`.filtered`);
``head.sharded`` splits the class weights over the devices (:mod:`.sharded`).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads.adaface import adaface
from fairface.heads.arc_circle import arc_circle, fix_arc_circle
from fairface.heads.base import Margin
from fairface.heads.circle import softmax_circle
from fairface.heads.classifier import Classifier
from fairface.heads.curricular import curricularface
from fairface.heads.filtered import FilteredMargin
from fairface.heads.margin import AngularMargin
from fairface.heads.mv_softmax import mv_softmax
from fairface.heads.options import margins_of, options_of
from fairface.heads.sharded import Sampling, ShardedClassifier
from fairface.heads.sharded.store import Store
from fairface.heads.softmax import NoMargin
from fairface.heads.svx import svx
from fairface.quantity import quantity

Factory = Callable[[HeadConfig], Margin]


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


def _angular(name: str, config: HeadConfig) -> Margin:
    preset = PRESETS[name]
    options_of(config, {})
    own = {"m1": preset.m1, "m2": preset.m2, "m3": preset.m3}
    margins = margins_of(config, {key: value for key, value in own.items() if value is not None})
    return AngularMargin(config.s, beyond_pi=preset.beyond_pi, clamp=preset.clamp, **margins)


def _softmax(config: HeadConfig) -> Margin:
    options_of(config, {})
    margins_of(config, {})
    return NoMargin()


HEADS: dict[str, Factory] = {
    "softmax": _softmax,
    **{name: partial(_angular, name) for name in PRESETS},
    "svx": svx,
    "mv_am": partial(mv_softmax, False, False),
    "mv_arc": partial(mv_softmax, True, False),
    "mv_am_easy": partial(mv_softmax, False, True),
    "mv_arc_easy": partial(mv_softmax, True, True),
    "softmax_circle": softmax_circle,
    "arc_circle": arc_circle,
    "fix_arc_circle": fix_arc_circle,
    "adaface": adaface,
    "curricularface": curricularface,
}


def build_margin(config: HeadConfig) -> Margin:
    """The margin that ``config`` names, with the class filter where it is set.

    A value left neutral (m1 1, m2 0, m3 0) is the margin's own.

    Raises:
        ConfigError: unknown name or option, a margin that this head does not have, a value out of range.
    """
    factory = HEADS.get(config.name)
    if factory is None:
        close = difflib.get_close_matches(config.name, HEADS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(HEADS)}"
        raise ConfigError(f"head.name is {config.name!r}, which is not a known head; {hint}")
    margin = factory(config)
    return FilteredMargin(margin, config.interclass_filter) if config.interclass_filter else margin


def build_head(config: HeadConfig, embedding: int, classes: int) -> Classifier:
    """The head that ``config`` names, not yet initialised: ``classes`` weights of ``embedding`` values, and its margin.

    Raises:
        ConfigError: as :func:`build_margin`.
    """
    _check_size(embedding, classes)
    return Classifier(embedding, classes, build_margin(config), config.deviation)


def build_sharded_head(config: HeadConfig, embedding: int, classes: int, seed: int = 0) -> ShardedClassifier:
    """The head that ``config`` names with its classes split over the devices, not yet initialised.

    ``seed`` is that of the run; where ``head.sample_rate`` is below 1, a step's classes depend on it.

    Raises:
        ConfigError: as :func:`build_margin`; a folder for the centres that is not there.
    """
    _check_size(embedding, classes)
    sampling = Sampling(config.sample_rate, seed) if config.sample_rate < 1 else None
    margin = build_margin(config)
    store = Store(config.scratch)
    return ShardedClassifier(embedding, classes, margin, config.label_smoothing, sampling, store, config.deviation)


def _check_size(embedding: int, classes: int) -> None:
    if classes < 1 or embedding < 1:
        raise ConfigError(
            f"a head for {quantity(classes, 'class')} and embeddings of {quantity(embedding, 'value')}; both must be "
            "above 0"
        )
