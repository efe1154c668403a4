"""Half precision: MXNet's automatic mixed precision, switched on before a network is built.

Convolutions run in half precision; parameters, their gradients, statistics, the embedding layer, the head and the loss
stay float32 (a logit of 64 times a cosine has steps of 0.25 in bfloat16, as large as a margin). On GPUs half precision
is float16 with a dynamic loss scale, on CPUs with AVX-512 BF16 bfloat16, which needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairface.errors import DeviceError
from fairface.mx import amp, mx

TARGETS = {"fp16": "float16", "bf16": "bfloat16"}
BFLOAT16 = amp.amp.bfloat16  # as MXNet's Python names the type
_PLAIN = {space.__name__: space.Convolution for space in (mx.nd, mx.sym)}  # AMP puts others in their places
_enabled = ["fp32"]  # the last one counts


def mixed_precision() -> str:
    """What networks that are built now compute in: fp32, fp16 or bf16."""
    return _enabled[-1]


def plain_convolution(space: Any) -> Callable[..., Any]:
    """MXNet's convolution of ``mx.nd`` or ``mx.sym`` that computes in the precision of its inputs."""
    return _PLAIN[space.__name__]


def enable(precision: str, on_gpu: bool, prelu: str) -> None:
    """Let every network that is built from now on in this process compute in ``precision`` (fp32, fp16 or bf16).

    Args:
        precision: fp32 changes nothing.
        on_gpu: which kind of device the networks will run on.
        prelu: form of PReLU as configured; the oneDNN form scales by 2**32, which float16 cannot hold.

    Raises:
        DeviceError: a precision that this device cannot do, or another one was switched on in this process before.
    """
    check_precision(precision, on_gpu, prelu)
    if precision == "fp32":
        if amp.amp._amp_initialized:
            raise DeviceError("this process already computes in half precision; start a new one for precision=fp32")
        return
    lists = amp.lists.symbol_fp16 if precision == "fp16" else amp.lists.symbol_bf16
    amp.init(TARGETS[precision], target_precision_ops=["Convolution"], fp32_ops=[*lists.FP32_FUNCS, "FullyConnected"])
    _enabled.append(precision)


def check_precision(precision: str, on_gpu: bool, prelu: str) -> None:
    """Whether the kind of device can compute in ``precision``; arguments as of :func:`enable`.

    Raises:
        DeviceError: it cannot.
    """
    if precision == "fp16" and not on_gpu:
        raise DeviceError("precision=fp16 needs a GPU; use precision=bf16 or fp32 on the CPU")
    if precision == "bf16" and on_gpu:
        raise DeviceError("precision=bf16 is for CPUs; use precision=fp16 on a GPU")
    if precision == "fp16" and prelu == "onednn":
        raise DeviceError("backbone.prelu=onednn does not work in float16; use backbone.prelu=auto or native")
