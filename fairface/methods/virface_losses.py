"""The pieces of VirFace's losses (Li et al. 2021): sums over a device's rows, which the method divides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray as Array

from fairface.heads.classifier import Classifier, scaled_cosines
from fairface.mx import NDArray, autograd, nd


def unit(rows: NDArray) -> NDArray:
    """(B, D) rows at length 1."""
    return nd.L2Normalization(rows)


def squared_error(output: NDArray, centres: NDArray) -> NDArray:
    """(1,): sum over rows and values of ``(output / |output| - centre / |centre|)^2``, both (B, D)."""
    return nd.square(unit(output) - unit(centres)).sum()


def divergence(mean: NDArray, log_variance: NDArray) -> NDArray:
    """(1,): Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over rows and values, both (B, Z)."""
    return -0.5 * (1 + log_variance - nd.square(mean) - nd.exp(log_variance)).sum()


def class_centres(head: Classifier, labels: NDArray, with_gradient: bool) -> NDArray:
    """(B, D): the class weight of each row's label, of any length."""
    weight = head.weight.data(labels.context)
    return nd.take(weight if with_gradient else weight.detach(), labels)


def unclaimed(head: Classifier, embeddings: NDArray, threshold: float) -> Array[np.int64]:
    """Positions of the rows (u, D) to which no class gives a probability of ``threshold`` or more, without margin.

    The others probably show a labeled identity. The answer is read, so this waits for the embeddings.
    """
    with autograd.pause():
        weight = head.weight.data(embeddings.context)
        scores = scaled_cosines(nd, head.margin, embeddings, weight, head.classes)
        highest = nd.softmax(scores.astype("float32"), axis=1).max(axis=1).asnumpy()
    return np.flatnonzero(highest < threshold)


def is_reproduced(head: Classifier, output: NDArray, labels: NDArray) -> NDArray:
    """(B,) float, 1 where the class centre nearest to a row's ``output`` (B, D) is that of its label."""
    with autograd.pause():
        weight = head.weight.data(output.context)
        nearest = nd.dot(unit(output), unit(weight), transpose_b=True).argmax(axis=1)
        return nearest == labels.astype(nearest.dtype)
