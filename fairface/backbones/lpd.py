"""Latent Part Detection (Ding et al. 2020): a face and the part of it that a localiser cuts out, through one ResNet.

Both streams have their own BatchNorm behind the shared net; an embedding is the global stream's values followed by the
partial stream's, 4096 of them for the published net.
"""

from __future__ import annotations

from typing import Any

from fairface.backbones.blocks import vector_norm
from fairface.backbones.localiser import Localiser, crop
from fairface.backbones.lpd_resnet import LPDShape, NormaliseChannels, Trunk
from fairface.config.schema import BackboneConfig, LPDConfig
from fairface.errors import ConfigError
from fairface.mx import nn

LPD_NETS = {
    "lpd": LPDShape((3, 4, 6, 3), 64),
    "lpd_tiny": LPDShape((1, 2, 2, 1), 16),
}


class LPDNet(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, 2 C)``, not normalised: the global stream, then the partial one.

    Args:
        shape: depth and channels.
        config: width, and the embedding size, which is twice the channels of the last map: 4096 in the published net.
        image_size: H and W.
        options: what the localiser does, BatchNorm's epsilon, how BatchNorm sees the two streams.

    Raises:
        ConfigError: an odd embedding size.
    """

    def __init__(self, shape: LPDShape, config: BackboneConfig, image_size: int, options: LPDConfig) -> None:
        super().__init__()
        if config.embedding % 2:
            raise ConfigError(
                f"backbone.embedding is {config.embedding}; {config.name} gives two streams of equal size: make it even"
            )
        self.channels = config.embedding // 2
        self._size, self._options = image_size, options
        self.normalise = NormaliseChannels()
        self.localiser = Localiser(image_size, options)
        self.trunk = Trunk(shape, config.width, self.channels, options.epsilon)
        self.global_bn = vector_norm(self.channels, options.epsilon)
        self.partial_bn = vector_norm(self.channels, options.epsilon)

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
