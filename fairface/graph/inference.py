"""A trained net's graph in the form in which it embeds fastest."""

from __future__ import annotations

from fairface.backbones.prelu import prelu_form
from fairface.errors import DeviceError
from fairface.graph.fold import fold
from fairface.graph.fuse import fused
from fairface.graph.half import with_bfloat16
from fairface.graph.precisions import PRECISIONS
from fairface.graph.saved import Graph, with_prelu


def for_inference(graph: Graph, on_gpu: bool, precision: str = "fp32") -> Graph:
    """The same embeddings, up to rounding, in fewer and faster operators.

    BatchNorms go into the layers around them; on CPUs PReLU is made of oneDNN's operators, a convolution and the sum
    behind it are one operator.

    Args:
        graph: the net as it was trained.
        on_gpu: which kind of device it will run on.
        precision: fp32, or bf16 on CPUs.

    Raises:
        DeviceError: a precision that is not known, or that the device cannot do.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"precision={precision} is not known for embedding; use {' or '.join(PRECISIONS)}")
    if precision == "bf16" and on_gpu:
        raise DeviceError("precision=bf16 is for CPUs; embed with precision=fp32 on a GPU")
    folded = fold(with_prelu(graph, prelu_form("auto", on_gpu)))
    if on_gpu:
        return folded
    return fused(with_bfloat16(folded) if precision == "bf16" else folded)
