"""Image to embedding, one file per family.

A backbone takes ``(B, 3, H, W)`` float32 RGB 0..255, normalises it in its own graph and returns ``(B, D)``, not of unit
length. :data:`BACKBONES` maps a name to a factory ``(config, image_size, prelu_form) -> HybridBlock``; a name such as
``usr:package.module:factory`` is a user's own network (:mod:`fairface.backbones.usr`).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fairface.backbones.adaface_ir import ADAFACE_IRS, AdaFaceIR, IRShape
from fairface.backbones.fresnet import FRESNETS, FResNet, FResNetShape
from fairface.backbones.lpd import LPD_NETS, LPD_RESNETS, LPDNet
from fairface.backbones.lpd_resnet import LPDGlobal, LPDShape
from fairface.backbones.mobilefacenet import MobileFaceNet
from fairface.backbones.prelu import prelu_form
from fairface.backbones.region_split import REGION_SPLITS, RegionShape, RegionSplitIR
from fairface.backbones.resnest import RESNESTS, ResNeSt, ResNeStShape
from fairface.backbones.sync_bn import synchronise
from fairface.backbones.usr import PREFIX, build_user_backbone
from fairface.backbones.virface_resnet import VIRFACE_RESNETS, VirFaceResNet, VirFaceShape
from fairface.config.schema import BackboneConfig, LPDConfig
from fairface.errors import ConfigError
from fairface.mx import gluon

Factory = Callable[[BackboneConfig, int, str], gluon.HybridBlock]
Net = TypeVar("Net", bound=gluon.HybridBlock)

OWN_DROPOUT = -1.0  # backbone.dropout: the net's own value
_DROPOUT = 0.4  # of insightface's outputs
_MEANING = {
    "se": "squeeze-and-excitation",
    "output": "choice of output layers",
    "width": "width multiplier",
    "dropout": "additional dropout",
    "regions": "regions",
}


def _without(config: BackboneConfig, *keys: str) -> None:
    """Raise for a key that is set although the net has nothing that it could act on."""
    unset = BackboneConfig()
    for key in keys:
        value = getattr(config, key)
        if value != getattr(unset, key):
            raise ConfigError(
                f"backbone.{key} is {value!r}; {config.name} has no {_MEANING[key]}: "
                f"leave it at {getattr(unset, key)!r}"
            )


def _filled(config: BackboneConfig, dropout: float) -> BackboneConfig:
    """``config`` with the net's own dropout where none is set."""
    return dataclasses.replace(config, dropout=dropout) if config.dropout == OWN_DROPOUT else config


def _fresnet(shape: FResNetShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    return FResNet(shape, _filled(config, _DROPOUT), image_size, form)


def _mobilefacenet(config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    _without(config, "se", "output")
    return MobileFaceNet(_filled(config, _DROPOUT), image_size, form)


def _adaface_ir(shape: IRShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    _without(config, "output")
    return AdaFaceIR(shape, _filled(config, _DROPOUT), image_size, form)


def _resnest(shape: ResNeStShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    _without(config, "se")
    return ResNeSt(shape, _filled(config, shape.dropout), image_size, form)


def _virface_resnet(shape: VirFaceShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    del form  # relu throughout
    _without(config, "se", "output")
    return VirFaceResNet(shape, _filled(config, 0.0), image_size)


def _region_split(shape: RegionShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    _without(config, "se", "output")
    return RegionSplitIR(shape, _filled(config, _DROPOUT), image_size, form)


def _without_extras(config: BackboneConfig) -> None:
    _without(config, "se", "output", *(["dropout"] if config.dropout > 0 else []))


def build_lpd(config: BackboneConfig, image_size: int, options: LPDConfig, form: str = "onednn") -> LPDNet:
    """The net of Latent Part Detection that ``config`` names, with options of its own.

    Raises:
        ConfigError: another net, an odd embedding size, or a value that makes no network.
    """
    _check_values(config, image_size)
    build = LPD_NETS.get(config.name)
    if build is None:
        raise ConfigError(f"backbone.name is {config.name!r}; Latent Part Detection knows: {', '.join(LPD_NETS)}")
    if config.embedding % 2:
        raise ConfigError(
            f"backbone.embedding is {config.embedding}; {config.name} gives two streams of equal size: make it even"
        )
    if config.name in LPD_RESNETS:
        _without_extras(config)
    else:
        _without(config, "se", "output")
    _without(config, "regions")
    return _synchronised(build(_filled(config, _DROPOUT), image_size, form, options), config)


def _lpd(config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    return build_lpd(config, image_size, LPDConfig(), form)


def _lpd_global(shape: LPDShape, config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    del image_size, form  # of any size; relu throughout
    _without_extras(config)
    return LPDGlobal(shape, config, LPDConfig().epsilon)


def _usr(config: BackboneConfig, image_size: int, form: str) -> gluon.HybridBlock:
    del form  # the user's own affair
    _without(config, "se", "output", "width", "dropout")
    return build_user_backbone(config, image_size)


BACKBONES: dict[str, Factory] = {
    **{name: partial(_fresnet, shape) for name, shape in FRESNETS.items()},
    "mobilefacenet": _mobilefacenet,
    **{name: partial(_adaface_ir, shape) for name, shape in ADAFACE_IRS.items()},
    **{name: partial(_resnest, shape) for name, shape in RESNESTS.items()},
    **{name: partial(_virface_resnet, shape) for name, shape in VIRFACE_RESNETS.items()},
    **{name: partial(_region_split, shape) for name, shape in REGION_SPLITS.items()},
    **dict.fromkeys(LPD_NETS, _lpd),
    **{name.replace("lpd", "lpd_global"): partial(_lpd_global, shape) for name, shape in LPD_RESNETS.items()},
}


def build_backbone(config: BackboneConfig, image_size: int = 112, on_gpu: bool = False) -> gluon.HybridBlock:
    """The backbone that ``config`` names, not yet initialised (``initialize()`` gives it its family's start values).

    Args:
        config: name, embedding size, dropout, width, SE, form of PReLU, output layers, whose rows BatchNorm sees.
        image_size: height and width of its images in pixels.
        on_gpu: whether it will run on GPUs (decides what ``prelu: auto`` means).

    Raises:
        ConfigError: unknown name, or a value that makes no network.
    """
    factory = _usr if config.name.startswith(PREFIX) else BACKBONES.get(config.name)
    if factory is None:
        close = difflib.get_close_matches(config.name, BACKBONES, n=1)
        known = f"known: {', '.join(BACKBONES)}, {PREFIX}package.module:factory"
        hint = f"did you mean {close[0]}?" if close else known
        raise ConfigError(f"backbone.name is {config.name!r}, which is not a known backbone; {hint}")
    _check_values(config, image_size)
    if config.name not in REGION_SPLITS:
        _without(config, "regions")
    return _synchronised(factory(config, image_size, prelu_form(config.prelu, on_gpu)), config)


def _check_values(config: BackboneConfig, image_size: int) -> None:
    if config.embedding < 1 or not (0 <= config.dropout < 1 or config.dropout == OWN_DROPOUT) or config.width <= 0:
        raise ConfigError(
            f"backbone: embedding {config.embedding}, dropout {config.dropout:g}, width {config.width:g}; "
            "embedding and width must be above 0, dropout from 0 to below 1 (or -1: the net's own)"
        )
    if image_size < 16:
        raise ConfigError(f"data.image_size is {image_size}; a backbone needs at least 16 pixels")


def _synchronised(net: Net, config: BackboneConfig) -> Net:
    """``net``, with :mod:`fairface.backbones.sync_bn` where ``config`` asks for it."""
    if config.sync_bn:
        synchronise(net)
    return net
