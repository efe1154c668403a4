"""Latent Part Detection (Ding et al. 2020): a face and the part of it that a localiser cuts out, through one net.

Both streams have their own BatchNorm behind the shared net; an embedding is the global stream's values followed by the
partial stream's, 4096 of them for the published net, a ResNet-50. ``lpd_mobilefacenet`` is the same idea around a
MobileFaceNet, which may come trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from fairface.backbones.blocks import Normalise, vector_norm
from fairface.backbones.localiser import Localiser, crop
from fairface.backbones.lpd_resnet import LPDShape, NormaliseChannels, Trunk
from fairface.backbones.mobilefacenet import MobileFaceNet
from fairface.config.schema import BackboneConfig, LPDConfig
from fairface.mx import nn

LPD_RESNETS = {
    "lpd": LPDShape((3, 4, 6, 3), 64),
    "lpd_tiny": LPDShape((1, 2, 2, 1), 16),
}


class LPDNet(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, 2 C)``, not normalised: the global stream, then the partial one.

    Args:
        normalise: pixels to what localiser and trunk see; it has no parameters, and 0 stands for what is outside.
        trunk: the net that both streams share, ``(B, 3, H, W)`` to ``(B, C)``.
        channels: C; 2048 in the published net.
        image_size: H and W.
        options: what the localiser does, BatchNorm's epsilon, how BatchNorm sees the two streams.
    """

    def __init__(
        self, normalise: NormaliseChannels | Normalise, trunk: nn.HybridBlock, channels: int, image_size: int,
        options: LPDConfig,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels = channels
        self._size, self._options = image_size, options
        self.normalise = normalise
        self.localiser = Localiser(image_size, options)
        self.trunk = trunk
        self.global_bn = vector_norm(channels, options.epsilon)
        self.partial_bn = vector_norm(channels, options.epsilon)

    def streams(self, F: Any, x: Any) -> tuple[Any, Any, Any]:
        """Embeddings of the image and of its part, each (B, C), and where the part lies (B, 4): sx, sy, ty, tx."""
        image, part, where = self._image_and_part(F, x)
        if self._options.joint_statistics:
            both = self.trunk(F.concat(image, part, dim=0))
            whole, partial = F.split(both, num_outputs=2, axis=0)
        else:
            whole, partial = self.trunk(image), self.trunk(part)
        return self.global_bn(whole), self.partial_bn(partial), where

    def part(self, F: Any, x: Any) -> Any:
        """What the localiser cuts out, (B, 3, H, W), pixels as the net normalises them."""
        return self._image_and_part(F, x)[1]

    def _image_and_part(self, F: Any, x: Any) -> tuple[Any, Any, Any]:
        image = self.normalise(x)
        where = self.localiser(image)
        return image, crop(F, image, where, self._size, self._options.pixels), where

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        whole, partial, _ = self.streams(F, x)
        return F.concat(whole, partial, dim=1)


class Streams(nn.HybridBlock):
    """An LPD net's two streams and where the part lies, for training; it has no parameters of its own."""

    def __init__(self, net: LPDNet) -> None:
        super().__init__()
        self.net = net

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.net.streams(F, x)


class _MobileTrunk(MobileFaceNet):
    """A MobileFaceNet, with its parameters' names, of pixels that are normalised already."""

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.output(self.features(x))


def resnet_lpd(shape: LPDShape, config: BackboneConfig, image_size: int, form: str, options: LPDConfig) -> LPDNet:
    """LPD around a ResNet of ``shape``; ``config`` gives its width and, twice, the channels of its last map."""
    del form  # relu throughout
    channels = config.embedding // 2
    trunk = Trunk(shape, config.width, channels, options.epsilon)
    return LPDNet(NormaliseChannels(), trunk, channels, image_size, options)


def mobile_lpd(config: BackboneConfig, image_size: int, form: str, options: LPDConfig) -> LPDNet:
    """LPD around a MobileFaceNet whose embedding has half the size of ``config``'s."""
    channels = config.embedding // 2
    trunk = _MobileTrunk(dataclasses.replace(config, embedding=channels), image_size, form)
    return LPDNet(Normalise(), trunk, channels, image_size, options)


Build = Callable[[BackboneConfig, int, str, LPDConfig], LPDNet]
LPD_NETS: dict[str, Build] = {
    **{name: partial(resnet_lpd, shape) for name, shape in LPD_RESNETS.items()},
    "lpd_mobilefacenet": mobile_lpd,
}
