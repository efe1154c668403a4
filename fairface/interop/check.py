"""Whether two models are the same function."""

from __future__ import annotations

import numpy as np

from fairface.errors import CheckpointError
from fairface.interop.models import load_model
from fairface.mx import gluon, mx, nd

# Share of an embedding's length: above float32's rounding in the deepest nets, far below what a wrong layer does.
LARGEST = 1e-4


def check_same(first: str, second: str, output: str = "models", images: int = 2) -> float:
    """Largest difference of the embeddings of random images, as a share of the embedding's length.

    Raises:
        CheckpointError: it is more than rounding, or one of the two cannot be loaded.
    """
    one, other = (load_model(name, [mx.cpu()], output) for name in (first, second))
    sizes = [(model.image_size, model.embedding) for model in (one, other)]
    if sizes[0] != sizes[1]:
        raise CheckpointError(f"{second}: image and embedding size are {sizes[1]}, those of {first} are {sizes[0]}")
    difference = difference_of(one.net, other.net, one.image_size, images)
    if not difference <= LARGEST:
        raise CheckpointError(f"{second}: its embeddings differ from {first}'s by {difference:.1e} of their length")
    return difference


def difference_of(first: gluon.Block, second: gluon.Block, size: int, images: int = 2) -> float:
    """Largest difference of two nets' embeddings of random images of ``size`` pixels, as a share of the first's length.

    Each net runs on the first device that it is on.
    """
    pixels = np.random.default_rng(0).uniform(0, 255, (images, 3, size, size))
    embeddings = []
    for net in (first, second):
        context = next(iter(net.collect_params().values())).list_ctx()[0]
        embeddings.append(net(nd.array(pixels, ctx=context)).asnumpy().astype(np.float64))
    a, b = embeddings
    return float(np.max(np.linalg.norm(a - b, axis=1) / np.maximum(np.linalg.norm(a, axis=1), 1e-12)))
