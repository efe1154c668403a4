"""insightface's networks as MXNet symbols, put together from their published structure and names."""

from __future__ import annotations

from typing import Any

from fairface.mx import mx

sym = mx.sym
MOMENTUM = 0.9


def _norm(x: Any, name: str, eps: float | None = 2e-5, fix_gamma: bool = False) -> Any:
    options = {} if eps is None else {"eps": eps}
    return sym.BatchNorm(x, fix_gamma=fix_gamma, momentum=MOMENTUM, name=name, **options)


def _conv(x: Any, channels: int, name: str, kernel: int = 3, stride: int = 1, bias: bool = False) -> Any:
    pad = kernel // 2
    return sym.Convolution(
        x, num_filter=channels, kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, pad), no_bias=not bias,
        name=name,
    )  # fmt: skip


def _prelu(x: Any, name: str) -> Any:
    return sym.LeakyReLU(x, act_type="prelu", name=name)


def _output(x: Any, embedding: int, dropout: bool) -> Any:
    if dropout:
        x = sym.Dropout(_norm(x, "bn1"), p=0.4)
    return _norm(sym.FullyConnected(x, num_hidden=embedding, name="pre_fc1"), "fc1", fix_gamma=True)


def _unit(x: Any, channels: int, stride: int, name: str, se: bool) -> Any:
    y = _prelu(_norm(_conv(_norm(x, f"{name}_bn1"), channels, f"{name}_conv1"), f"{name}_bn2"), f"{name}_relu1")
    y = _norm(_conv(y, channels, f"{name}_conv2", stride=stride), f"{name}_bn3")
    if se:
        gate = sym.Pooling(y, global_pool=True, kernel=(7, 7), pool_type="avg", name=f"{name}_se_pool1")
        gate = _prelu(_conv(gate, max(1, channels // 16), f"{name}_se_conv1", 1, bias=True), f"{name}_se_relu1")
        gate = _conv(gate, channels, f"{name}_se_conv2", 1, bias=True)
        y = sym.broadcast_mul(y, sym.Activation(gate, act_type="sigmoid", name=f"{name}_se_sigmoid"))
    if stride == 1:
        return y + x
    return y + _norm(_conv(x, channels, f"{name}_conv1sc", 1, stride), f"{name}_sc")


def fresnet(units: tuple[int, ...], channels: tuple[int, ...], embedding: int, se: bool = False) -> Any:
    """LResNet-E-IR (``fresnet`` with input 1, unit 3, output E)."""
    x = (sym.identity(sym.Variable("data"), name="id") - 127.5) * 0.0078125
    x = _prelu(_norm(_conv(x, channels[0], "conv0"), "bn0"), "relu0")
    for stage, (count, outputs) in enumerate(zip(units, channels[1:], strict=True), 1):
        for unit in range(1, count + 1):
            x = _unit(x, outputs, 2 if unit == 1 else 1, f"stage{stage}_unit{unit}", se)
    return _output(x, embedding, dropout=True)


def _layer(x: Any, channels: int, name: str, kernel: int = 1, stride: int = 1, groups: int = 1, pad: int | None = None,
           act: bool = True) -> Any:  # fmt: skip
    pad = kernel // 2 if pad is None else pad
    x = sym.Convolution(
        x, num_filter=channels, kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, pad), num_group=groups,
        no_bias=True, name=f"{name}_conv2d",
    )  # fmt: skip
    x = _norm(x, f"{name}_batchnorm", eps=None)
    return _prelu(x, f"{name}_relu") if act else x


def _separated(x: Any, channels: int, inside: int, stride: int, name: str) -> Any:
    x = _layer(x, inside, f"{name}_conv_sep")
    x = _layer(x, inside, f"{name}_conv_dw", 3, stride, inside)
    return _layer(x, channels, f"{name}_conv_proj", act=False)


def mobilefacenet(embedding: int, width: int = 64) -> Any:
    """``fmobilefacenet`` y1 with output GDC; ``width`` is 64 as published."""
    x = (sym.Variable("data") - 127.5) * 0.0078125
    x = _layer(x, width, "conv_1", 3, 2)
    x = _layer(x, width, "conv_2_dw", 3, 1, width)
    for stage, (channels, inside, down, count) in enumerate(((1, 2, 2, 4), (2, 4, 4, 6), (2, 4, 8, 2)), 3):
        x = _separated(x, channels * width, down * width, 2, f"dconv_{stage - 1}{stage}")
        for block in range(count):
            x = _separated(x, channels * width, inside * width, 1, f"res_{stage}_block{block}") + x
    x = _layer(x, 8 * width, "conv_6sep")
    x = _layer(x, 8 * width, "conv_6dw7_7", MAP, groups=8 * width, pad=0, act=False)
    return _output(x, embedding, dropout=False)


MAP = 2  # height and width of the last map: 7 for images of 112 pixels, 2 for the 32 of these tests
