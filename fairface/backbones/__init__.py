"""Image to embedding, one file per family.

A backbone takes ``(B, 3, H, W)`` float32 RGB 0..255, normalises it in its own graph and returns ``(B, D)``, not of unit
length. :data:`BACKBONES` maps a name to a factory ``(config, image_size, prelu_form) -> HybridBlock``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial

from fairface.backbones.fresnet import FRESNETS, FResNet, FResNetShape
from fairface.backbones.mobilefacenet import MobileFaceNet
from fairface.backbones.prelu import prelu_form
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.mx import gluon

Factory = Callable[[BackboneConfig, int, str], gluon.HybridBlock]


def _fresnet(shape: FResNetShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    return FResNet(shape, config, image_size, form)


def _mobilefacenet(config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    if config.se:
        raise ConfigError("backbone.se is true; mobilefacenet has no squeeze-and-excitation: leave it out")
    return MobileFaceNet(config, image_size, form)


BACKBONES: dict[str, Factory] = {
    **{name: partial(_fresnet, shape) for name, shape in FRESNETS.items()},
    "mobilefacenet": _mobilefacenet,
}


def build_backbone(config: BackboneConfig, image_size: int = 112, on_gpu: bool = False) -> gluon.HybridBlock:
    """The backbone that ``config`` names, not yet initialised (``initialize()`` gives it insightface's start values).

    Args:
        config: name, embedding size, dropout, width, SE, form of PReLU.
        image_size: height and width of its images in pixels.
        on_gpu: whether it will run on GPUs (decides what ``prelu: auto`` means).

    Raises:
        ConfigError: unknown name, or a value that makes no network.
    """
    factory = BACKBONES.get(config.name)
    if factory is None:
        close = difflib.get_close_matches(config.name, BACKBONES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(BACKBONES)}"
        raise ConfigError(f"backbone.name is {config.name!r}, which is no backbone; {hint}")
    if config.embedding < 1 or not 0 <= config.dropout < 1 or config.width <= 0:
        raise ConfigError(
            f"backbone: embedding {config.embedding}, dropout {config.dropout:g}, width {config.width:g}; "
            "embedding and width must be above 0, dropout from 0 to below 1"
        )
    if image_size < 16:
        raise ConfigError(f"data.image_size is {image_size}; a backbone needs at least 16 pixels")
    return factory(config, image_size, prelu_form(config.prelu, on_gpu))
