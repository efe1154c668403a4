"""UFace's region-split IR networks (Huang 2023): the upper and the lower face go through the net apart from each other.

The first quarter of the channels is the holistic part, which sees the whole face. The other three quarters are cut by
rows into an upper part (4/7 of them) and a lower one. Each part has its own residual branch and shortcut in every unit,
and its own layers from the last map to its share of the embedding: holistic 1/4, upper 1/2, lower 1/4. Zeros pad the
cut, so nothing of the lower face reaches the upper part's values. Units as in :mod:`fairface.backbones.adaface_ir`;
inside, a branch has all the channels of its stage. Since parts never mix, they stay apart here from the first split
unit to the embedding; the published network joins and cuts them again in every unit.

The published nets of 152 and 200 layers may be made of bottlenecks; ours have the same unit at every depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairface.backbones.adaface_ir import EPSILON, IRUnit, residual
from fairface.backbones.blocks import Normalise, batch_norm, conv, initializer, vector_norm
from fairface.backbones.fresnet import scaled
from fairface.backbones.prelu import PReLU
from fairface.config.regions import LOWER, SPLITS, UPPER, Split, embedding_regions
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.mx import nn
from fairface.quantity import quantity


@dataclass(frozen=True)
class RegionShape:
    """Units per stage, channels of the first stage, stride of the first convolution."""

    units: tuple[int, int, int, int]
    channels: int = 64
    stem_stride: int = 1


REGION_SPLITS = {
    "split_ir_tiny": RegionShape((1, 2, 2, 1), channels=32, stem_stride=2),
    "split_ir_18": RegionShape((2, 2, 2, 2)),
    "split_ir_34": RegionShape((3, 4, 6, 3)),
    "split_ir_50": RegionShape((3, 4, 14, 3)),
    "split_ir_101": RegionShape((3, 13, 30, 3)),
    "split_ir_152": RegionShape((3, 8, 36, 3)),
    "split_ir_200": RegionShape((3, 24, 36, 3)),
}


def channels_of(split: Split, depth: int) -> tuple[int, ...]:
    """Channels of the parts of a map with ``depth`` of them: upper, lower and, where there is one, holistic."""
    holistic = depth * split.holistic // 4
    return (depth - holistic, depth - holistic) + ((holistic,) if holistic else ())


class RegionUnit(nn.HybridBlock):
    """One unit on the parts of a map: ``(upper, lower[, holistic]) -> `` the same.

    Attributes follow the published module: 1 is the upper part, 2 the lower one, 3 the holistic one.

    Args:
        split: how the map is divided.
        inputs, outputs: channels of the whole map, all parts together.
        stride: of the unit's last convolutions and its shortcuts.
        upper: rows of the upper part, of which a shared shortcut needs to know.
        form: form of PReLU.
    """

    def __init__(self, split: Split, inputs: int, outputs: int, stride: int, upper: int, form: str) -> None:
        super().__init__()
        self._shared = split.shared_shortcut
        self._cut = -(-upper // stride)
        self._parts = range(1, len(channels_of(split, outputs)) + 1)
        for part, before, after in zip(
            self._parts, channels_of(split, inputs), channels_of(split, outputs), strict=True
        ):
            layers = nn.HybridSequential()
            layers.add(*residual(before, outputs, after, stride, form))
            setattr(self, f"res_layer{part}", layers)
            if not (self._shared and part > 1):
                shortcut = nn.HybridSequential()
                if inputs != outputs:
                    shortcut.add(conv(before, after, 1, stride), batch_norm(after, EPSILON))
                elif stride != 1:
                    shortcut.add(nn.AvgPool2D(1, stride))
                setattr(self, f"shortcut_layer{part}", shortcut)

    def hybrid_forward(self, F: Any, *parts: Any) -> Any:
        if self._shared:
            both = self.shortcut_layer1(F.concat(*parts, dim=2))
            cuts = ((0, self._cut), (self._cut, None))
            shortcuts = [F.slice_axis(both, axis=2, begin=begin, end=end) for begin, end in cuts]
        else:
            shortcuts = [getattr(self, f"shortcut_layer{n}")(x) for n, x in zip(self._parts, parts, strict=True)]
        branches = [getattr(self, f"res_layer{n}")(x) for n, x in zip(self._parts, parts, strict=True)]
        return [F.elemwise_add(a, b) for a, b in zip(branches, shortcuts, strict=True)]


class _Units(nn.HybridBlock):
    """Units one after the other, on several arrays; children have the names 0, 1, … ."""

    def __init__(self, units: Sequence[RegionUnit]) -> None:
        super().__init__()
        for number, unit in enumerate(units):
            self.register_child(unit, str(number))

    def hybrid_forward(self, F: Any, *parts: Any) -> Any:
        for unit in self._children.values():
            parts = tuple(unit(*parts))
        return list(parts)


def _output(channels: int, rows: int, columns: int, embedding: int, dropout: float) -> nn.HybridSequential:
    """A part's last map ``(B, channels, rows, columns)`` to its values of the embedding ``(B, embedding)``."""
    layers = nn.HybridSequential()
    layers.add(
        batch_norm(channels, EPSILON),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Dense(embedding, in_units=channels * rows * columns, weight_initializer=initializer()),
        vector_norm(embedding, EPSILON, scale=False, shift=False),
    )
    return layers


class RegionSplitIR(nn.HybridBlock):
    """``(B, 3, H, W)`` RGB 0..255 to ``(B, D)``: holistic, upper and lower part one after the other, not normalised.

    Args:
        shape: depth, channels and stride of the first convolution.
        config: embedding size, dropout, width, split.
        image_size: H and W.
        form: form of PReLU, ``onednn`` or ``native``.

    Raises:
        ConfigError: an embedding size that cannot be divided, or an image size that does not fit a shared shortcut.
    """

    def __init__(self, shape: RegionShape, config: BackboneConfig, image_size: int, form: str) -> None:
        super().__init__()
        self._split = split = SPLITS[config.regions]
        depth = scaled(shape.channels, config.width)
        self.normalise = Normalise(127.5)
        self.input_layer = nn.HybridSequential()
        self.input_layer.add(conv(3, depth, 3, shape.stem_stride), batch_norm(depth, EPSILON), PReLU(depth, form))
        size = -(-image_size // shape.stem_stride)
        self.whole = nn.HybridSequential()
        units, inputs = [], depth
        for stage, count in enumerate(shape.units):
            outputs = scaled(shape.channels * 2**stage, config.width)
            if stage == split.first:
                upper = self._upper = split.upper * size // 7
                lower, self._holistic = size - upper, inputs * split.holistic // 4
            for unit in range(count):
                stride = 2 if unit == 0 else 1
                if stage < split.first:
                    self.whole.add(IRUnit(inputs, outputs, stride, form))
                    size = -(-size // stride)
                else:
                    if split.shared_shortcut and stride > 1:
                        _check_shared(config.regions, image_size, upper, lower)
                    units.append(RegionUnit(split, inputs, outputs, stride, upper, form))
                    upper, lower, size = -(-upper // stride), -(-lower // stride), -(-size // stride)
                inputs = outputs
        self.body = _Units(units)
        self._add_outputs(config, channels_of(split, inputs), (upper, lower, size))

    def _add_outputs(self, config: BackboneConfig, channels: Sequence[int], rows: Sequence[int]) -> None:
        regions = embedding_regions(config.regions, config.embedding)
        ordered = [UPPER, LOWER, *(region for region in regions if region not in (UPPER, LOWER))]
        self._order = [ordered.index(region) for region in regions]
        for number, (region, depth) in enumerate(zip(ordered, channels, strict=True), start=1):
            size = regions[region].stop - regions[region].start
            layers = _output(depth, rows[number - 1], rows[-1], size, config.dropout)
            setattr(self, f"output_layer{number}", layers)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = self.whole(self.input_layer(self.normalise(x)))
        rest = F.slice_axis(x, axis=1, begin=self._holistic, end=None) if self._holistic else x
        parts = [
            F.slice_axis(rest, axis=2, begin=0, end=self._upper),
            F.slice_axis(rest, axis=2, begin=self._upper, end=None),
        ]
        if self._holistic:
            parts.append(F.slice_axis(x, axis=1, begin=0, end=self._holistic))
        parts = self.body(*parts)
        values = [getattr(self, f"output_layer{number}")(part) for number, part in enumerate(parts, start=1)]
        return F.concat(*(values[place] for place in self._order), dim=1)


def _check_shared(regions: str, image_size: int, upper: int, lower: int) -> None:
    """Raise where a shortcut over both parts, at every second row, would not have the rows of the two branches."""
    if upper % 2 and lower % 2:
        raise ConfigError(
            f"backbone.regions is {regions!r} and data.image_size {image_size}: with a shared shortcut {upper} and "
            f"{quantity(lower, 'row')} cannot be halved together; use images of 112 pixels, or regions=rows_separate"
        )
