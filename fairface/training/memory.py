"""Memory that training takes, and what the devices have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairface.hardware import available_memory
from fairface.heads.sharded import ShardedClassifier
from fairface.methods.base import Method
from fairface.mx import Context, gluon, mx
from fairface.parameters import RUNNING, structural

COPIES = {"sgd": 3, "nag": 4, "adam": 4}  # weight, gradient, optimizer states; nag: new weights beside the old ones


def value_counts(method: Method) -> dict[str, int]:
    """Trained values of each block, as far as shapes are known yet."""
    return {name: _values(block) for name, block in method.blocks().items()}


def weight_bytes(method: Method, optimizer: str, devices: int) -> int:
    """Bytes of parameters with gradients and optimizer states over all devices, as far as shapes are known yet."""
    counts = value_counts(method)
    split = {name: block for name, block in method.blocks().items() if isinstance(block, ShardedClassifier)}
    copied = sum(values for name, values in counts.items() if name not in split)
    return copied * 4 * COPIES[optimizer] * devices + sum(block.training_bytes for block in split.values())


def activation_bytes(method: Method, image_size: int, images: int) -> int:
    """Bytes of all layers' outputs and their gradients for a batch, from the inference block's graph."""
    symbol = method.inference()(mx.sym.var("data")).get_internals()
    outputs = [name for name in symbol.list_outputs() if name.endswith("_output")]
    _, shapes, _ = symbol.infer_shape(data=(1, 3, image_size, image_size))
    known = dict(zip(symbol.list_outputs(), shapes, strict=True))
    return sum(int(np.prod(known[name])) for name in outputs) * 4 * 2 * images


def available_bytes(contexts: Sequence[Context]) -> int | None:
    """Bytes that can still be taken: on the fullest GPU, or in main memory by all CPU contexts together; None where
    nothing tells."""
    gpus = [context.device_id for context in contexts if context.device_type == "gpu"]
    if not gpus:
        return available_memory()
    try:
        return min(int(mx.context.gpu_memory_info(number)[0]) for number in gpus)
    except mx.MXNetError:
        return None


def _values(block: gluon.Block) -> int:
    if isinstance(block, ShardedClassifier):
        return block.classes * block.embedding
    shapes = [p.shape for name, p in structural(block).items() if not name.endswith(RUNNING)]
    return sum(int(np.prod(shape)) for shape in shapes if shape is not None and min(shape, default=1) > 0)
