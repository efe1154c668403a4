"""The fair-face system's fresnet and an ArcFace head in PyTorch, layer by layer as ours, for comparison.

Needs only torch, so that it runs in an environment of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Units per stage, channels of stem and stages, stride of the stem.
SHAPES = {
    "fresnet18": ((2, 2, 2, 2), (64, 64, 128, 256, 512), 1),
    "fresnet34": ((3, 4, 6, 3), (64, 64, 128, 256, 512), 1),
    "fresnet50": ((3, 4, 14, 3), (64, 64, 128, 256, 512), 1),
    "fresnet100": ((3, 13, 30, 3), (64, 64, 128, 256, 512), 1),
    "fresnet_tiny": ((1, 2, 2, 1), (32, 32, 64, 128, 256), 2),
}


def conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=2e-5)


class Unit(nn.Module):
    """BN, 3x3, BN, PReLU, 3x3 with the stride, BN, plus the shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            norm(inputs), conv(inputs, outputs, 3, 1), norm(outputs), nn.PReLU(outputs),
            conv(outputs, outputs, 3, stride), norm(outputs),
        )  # fmt: skip
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(conv(inputs, outputs, 1, stride), norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class FResNet(nn.Module):
    """``(B, 3, H, W)`` 0..255 to ``(B, D)``."""

    def __init__(self, name: str, embedding: int, dropout: float, image_size: int) -> None:
        super().__init__()
        units, (channels, *stages), stride = SHAPES[name]
        layers: list[nn.Module] = [conv(3, channels, 3, stride), norm(channels), nn.PReLU(channels)]
        size = -(-image_size // stride)
        for count, outputs in zip(units, stages, strict=True):
            for unit in range(count):
                layers.append(Unit(channels, outputs, 2 if unit == 0 else 1))
                channels = outputs
            size = -(-size // 2)
        self.features = nn.Sequential(*layers, norm(channels), nn.Dropout(dropout))
        self.pre_fc1 = nn.Linear(channels * size * size, embedding)
        self.fc1 = nn.BatchNorm1d(embedding, eps=2e-5)
        self.fc1.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features((x - 127.5) * 0.0078125)
        return self.fc1(self.pre_fc1(torch.flatten(x, 1)))


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, prelu: bool = True) -> nn.Module:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
    ]
    return nn.Sequential(*layers, *([nn.PReLU(outputs)] if prelu else []))


class Bottleneck(nn.Module):
    """1x1 to ``expand`` channels, depthwise 3x3 with the stride, 1x1 projection; plus the input at stride 1."""

    def __init__(self, inputs: int, outputs: int, expand: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, expand, 1), conv_bn(expand, expand, 3, stride, expand),
            conv_bn(expand, outputs, 1, prelu=False),
        )  # fmt: skip
        self.residual = stride == 1

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + x if self.residual else self.body(x)


class MobileFaceNet(nn.Module):
    """``(B, 3, H, W)`` 0..255 to ``(B, D)``."""

    def __init__(self, embedding: int, dropout: float, image_size: int) -> None:
        super().__init__()
        layers = [conv_bn(3, 64, 3, 2), conv_bn(64, 64, 3, groups=64)]
        channels = 64
        for outputs, down, expand, repeats in ((64, 128, 128, 4), (128, 256, 256, 6), (128, 512, 256, 2)):
            layers.append(Bottleneck(channels, outputs, down, 2))
            layers += [Bottleneck(outputs, outputs, expand, 1) for _ in range(repeats)]
            channels = outputs
        size = -(-image_size // 16)
        self.features = nn.Sequential(
            *layers, conv_bn(channels, 512, 1), nn.Conv2d(512, 512, size, groups=512, bias=False),
            nn.BatchNorm2d(512, eps=1e-3), nn.Dropout(dropout),
        )  # fmt: skip
        self.pre_fc1 = nn.Linear(512, embedding)
        self.fc1 = nn.BatchNorm1d(embedding, eps=2e-5)
        self.fc1.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features((x - 127.5) * 0.0078125)
        return self.fc1(self.pre_fc1(torch.flatten(x, 1)))


def build(name: str, embedding: int, image_size: int, dropout: float = 0.4) -> nn.Module:
    """The net that we call ``name``."""
    if name == "mobilefacenet":
        return MobileFaceNet(embedding, dropout, image_size)
    return FResNet(name, embedding, dropout, image_size)


class ArcFace(nn.Module):
    """``(B, D), (B,)`` to logits ``(B, C)``; only the own column is computed anew, as in our head."""

    def __init__(self, embedding: int, classes: int, s: float = 64.0, m: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding) * 0.01)
        self.s, self.m = s, torch.tensor(m)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        cosine = functional.linear(functional.normalize(x), functional.normalize(self.weight))
        own = cosine.gather(1, label[:, None])
        sine = (1 - own.square()).clamp(1e-6, 1).sqrt()
        margin = own * self.m.cos() - sine * self.m.sin()
        return self.s * cosine.scatter_add(1, label[:, None], margin - own)
