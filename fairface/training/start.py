"""Where a run's parameters come from: random, a fine-tune, or the run's own last checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray as Array

from fairface.checkpoints import CheckpointFiles, resolve
from fairface.data.loading.draws import Purpose, device_seed
from fairface.data.types import Dataset
from fairface.errors import CheckpointError
from fairface.interop.check import difference_of
from fairface.interop.models import load_model
from fairface.interop.weights import blocks_in, weights_for
from fairface.methods.base import Method
from fairface.mx import Context, gluon, mx, nd
from fairface.parameters import arrays_of, set_arrays, set_values
from fairface.training.log import RunLog
from fairface.training.margin_statistics import take_over
from fairface.training.starting_weights import starting_weights

# Share of an embedding's length: above half precision's rounding, far below what other pixels or strides do.
OTHER_FUNCTION = 0.1


def initialize(method: Method, contexts: Sequence[Context], seed: int, image_size: int) -> None:
    """Random parameters for every block, the same for the same seed, and a forward pass so that shapes are known."""
    mx.random.seed(device_seed(seed, 0, Purpose.START))
    for block in method.blocks().values():
        block.initialize(ctx=list(contexts))
        block.hybridize(static_alloc=True, static_shape=True)
    for context in contexts:
        method.inference()(nd.zeros((1, 3, image_size, image_size), ctx=context)).wait_to_read()


def fine_tune(method: Method, name: str, output: str, log: RunLog, needs: Sequence[str] = ()) -> list[str]:
    """Take the parameters of the checkpoint ``name`` for every block that fits.

    The inference block must fit wholly; of Latent Part Detection's net the part that both streams share is enough.
    Another block (the head) whose shapes differ, because the classes do, keeps its random parameters, and the log says
    so; one that the stage ``needs`` must fit. A head that fits goes on with its margin's statistics. Returns the names
    of the blocks that do not fit.

    Raises:
        CheckpointError: no such checkpoint, or the inference block or a needed one differs (the first differing layer
            is named).
    """
    files = resolve(name, output)
    start = starting_weights(method.inference(), files)
    set_values(start.block, start.arrays, str(files.params))
    if files.symbol is not None and not files.manifest:
        _compare(start.of_pixels, name, log)
    saved = blocks_in(files)
    reinitialized = []
    for block_name, block in method.blocks().items():
        if block is method.inference():
            continue
        own = saved.get(block_name, {})
        wanted = {key: tuple(array.shape) for key, array in arrays_of(block).items()}
        if block_name in needs or wanted == {key: tuple(array.shape) for key, array in own.items()}:
            set_arrays(block, own, str(files.blocks or files.params))
            continue
        reinitialized.append(block_name)
        found = ", ".join(f"{key} {tuple(array.shape)}" for key, array in own.items()) or "none saved"
        log.say(f"{block_name} is re-initialised: this run wants {wanted}, {name} has {found}")
    take_over(method, files, reinitialized, log)
    log.say(f"started from {start.note or f'{name} (step {files.step})'}")
    return reinitialized


def load_inference(net: gluon.HybridBlock, files: CheckpointFiles) -> str:
    """Fill ``net`` from MXNet's deploy layout, ours or another system's, or from a file of PyTorch.

    Returns what a file of PyTorch holds, and what of it was not taken, in words; else nothing.

    Raises:
        CheckpointError: as :func:`fairface.interop.weights.weights_for`.
    """
    arrays, note = weights_for(net, files)
    set_values(net, arrays, str(files.params))
    return note


def _compare(net: gluon.HybridBlock, name: str, log: RunLog) -> None:
    """Warn where the net makes something else of another system's parameters than that system's own graph does."""
    theirs = load_model(name, [mx.cpu()])
    difference = difference_of(theirs.net, net, theirs.image_size)
    if not difference <= OTHER_FUNCTION:
        log.say(
            f"warning: with the parameters of {name} this network's embeddings differ from those of that model's own "
            f"graph by {difference:.0%} of their length; does the model scale its pixels outside of the graph?"
        )


def head_from_mean_embeddings(head: gluon.HybridBlock, of_images: Array[np.float32], dataset: Dataset) -> int:
    """Set each class's weight to the direction of the mean embedding of its images, at the length it has now.

    ``of_images`` (N, D) are the embeddings of the data set's images, or the part of them that the head classifies. A
    class without images (data of one group only) keeps its random weight. Returns how many classes were set.

    Raises:
        CheckpointError: a head without a weight per class.
    """
    weight = arrays_of(head).get("weight")
    embeddings = of_images.astype(np.float64)
    embeddings /= np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    centres = np.zeros((dataset.num_classes, embeddings.shape[1]))
    labeled = dataset.labels >= 0
    np.add.at(centres, dataset.labels[labeled], embeddings[labeled])
    norms = np.linalg.norm(centres, axis=1, keepdims=True)
    if weight is None or tuple(weight.shape) != centres.shape:
        raise CheckpointError("this head has no weight per class; use head.init_from=random")
    before = weight.asnumpy()
    lengths = np.linalg.norm(before, axis=1, keepdims=True)
    seen = norms[:, 0] > 0
    before[seen] = (centres[seen] / norms[seen]) * lengths[seen]
    set_arrays(head, {"weight": nd.array(before)}, "mean embeddings")
    return int(seen.sum())
