"""The localiser of Latent Part Detection: where in a face the part lies that a mask leaves free, and its crop.

``(sx, sy, ty, tx)`` are the scales and shifts of an affine map without rotation, in units of half an image: the crop's
point (x, y), both from -1 to 1, is the image's point (sx * x + tx, sy * y + ty). Outside of the image is 0.
"""

from __future__ import annotations

import math
from typing import Any

from fairface.backbones.blocks import initializer, vector_norm
from fairface.config.schema import LPDConfig
from fairface.mx import mx, nn

HIDDEN = 32
TOP = (0.95, 0.6, -0.4, 0.0)  # sx, sy, ty, tx of the upper 60 %
TOP_GAMMA = 0.1  # small, so that the crop starts near the top's and images still differ


class Localiser(nn.HybridBlock):
    """Normalised images ``(B, 3, H, W)`` to ``(B, 4)``: sx, sy, ty, tx.

    The mean over channels, a layer of 32 with BN and relu, a layer of 4 with BN, tanh. The second BatchNorm takes away
    whatever bias the layer before it has, so where the crop starts is set by that BatchNorm's beta.

    Args:
        image_size: H and W.
        options: start of the crop, offset of sy, whether the shifts follow from sy, epsilon of BatchNorm.
    """

    def __init__(self, image_size: int, options: LPDConfig) -> None:
        super().__init__()
        self.fc1 = nn.Dense(HIDDEN, in_units=image_size * image_size, weight_initializer=initializer())
        self.bn1 = vector_norm(HIDDEN, options.epsilon)
        self.fc2 = nn.Dense(4, in_units=HIDDEN, weight_initializer=initializer())
        self.bn2 = _last_norm(options)
        self._offset = options.height_offset
        self._at_top = options.anchor == "top"

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        y = F.relu(self.bn1(self.fc1(F.mean(x, axis=1))))
        where = F.tanh(self.bn2(self.fc2(y)))
        if not (self._offset or self._at_top):
            return where
        sx, sy, ty, tx = F.split(where, num_outputs=4, axis=1)
        sy = sy + self._offset
        if self._at_top:
            ty, tx = sy - 1, F.zeros_like(tx)
        return F.concat(sx, sy, ty, tx, dim=1)


def _last_norm(options: LPDConfig) -> nn.BatchNorm:
    if options.start_crop == "random":
        return vector_norm(4, options.epsilon)
    sx, sy, ty, tx = TOP
    beta = [math.atanh(value) for value in (sx, sy - options.height_offset, ty, tx)]
    return nn.BatchNorm(
        momentum=0.9, epsilon=options.epsilon * (1 + 1e-6), in_channels=4,  # epsilon as in vector_norm
        beta_initializer=_Values(beta), gamma_initializer=mx.init.Constant(TOP_GAMMA),
    )  # fmt: skip


class _Values(mx.init.Initializer):
    """These values, whatever the parameter is called."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(values=values)
        self.values = values

    def _init_weight(self, name: str, array: Any) -> None:
        array[:] = mx.nd.array(self.values)

    _init_beta = _init_weight


def crop(F: Any, x: Any, where: Any, size: int, pixels: str) -> Any:
    """What ``where (B, 4)`` cuts out of ``x (B, 3, size, size)``, at the same size, bilinear.

    ``pixels="corners"``: -1 and 1 are the centres of the first and the last pixel, so (1, 1, 0, 0) changes nothing.
    ``"released"``, as in the released code: they are pixels 0 and size - 2, and the image's border is 0.
    """
    sx, sy, ty, tx = F.split(where, num_outputs=4, axis=1)
    if pixels == "released":
        inner = F.slice_axis(F.slice_axis(x, axis=2, begin=1, end=size - 1), axis=3, begin=1, end=size - 1)
        x = F.pad(inner, mode="constant", constant_value=0, pad_width=(0, 0, 0, 0, 1, 1, 1, 1))
        ratio = (size - 2) / (size - 1)
        sx, sy = sx * ratio, sy * ratio
        tx, ty = (tx + 1) * ratio - 1, (ty + 1) * ratio - 1
    none = F.zeros_like(sx)
    affine = F.concat(sx, none, tx, none, sy, ty, dim=1)
    grid = F.GridGenerator(affine, transform_type="affine", target_shape=(size, size))
    return F.BilinearSampler(x, grid)
