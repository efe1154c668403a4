"""Whether an ONNX model gives the embeddings that MXNet gives: part of every export."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.errors import CheckpointError
from fairface.interop.onnx.session import OnnxNet, planes, unit
from fairface.mx import gluon, nd

LARGEST = 1e-5  # difference of any value of unit embeddings
_BATCHES = (1, 3)  # a model whose batch is not free fails on one of the two


def parity(net: gluon.Block, written: OnnxNet, images: NDArray[np.uint8], name: str) -> float:
    """Largest difference of a value of the unit embeddings of ``images``, in batches of several sizes.

    Args:
        net: MXNet's, on the CPU.
        written: the ONNX model.
        images: uint8 ``(N, H, W, 3)`` RGB, N of 3 or more.
        name: the model's, for messages.

    Raises:
        CheckpointError: it is 1e-5 or more, or an embedding is not finite.
    """
    x = planes(images)
    difference = 0.0
    for count in _BATCHES:
        expected, found = unit(net(nd.array(x[:count])).asnumpy()), unit(written(x[:count]))
        difference = max(difference, float(np.max(np.abs(found - expected))))
    if not difference < LARGEST:  # NaN is not
        raise CheckpointError(
            f"{name}: ONNX Runtime's unit embeddings differ from MXNet's by {difference:.1e}, not {LARGEST:.0e}; "
            "nothing was written: score the MXNet model"
        )
    return difference
