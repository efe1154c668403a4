"""Semi-hard negatives within a batch of P identities x K images (Schroff et al. 2015, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.data.loading.draws import Purpose, generator
from fairface.mx import NDArray, autograd, nd


@dataclass(frozen=True)
class Triplets:
    """``T = B * (K - 1)`` candidates as row numbers ``anchor, positive, negative (T,)`` and ``valid (T,)``, 1 or 0."""

    anchor: NDArray
    positive: NDArray
    negative: NDArray
    valid: NDArray


def semi_hard(
    embedding: NDArray,
    label: NDArray,
    images_per_class: int,
    alpha: float,
    distance: Callable[[Any, Any], Any],
    seed: int,
    step: int,
) -> Triplets:
    """For every ordered pair of one identity, one random negative with ``d_ap < d_an < d_ap + alpha``.

    The rows of an identity stand together, K in a row; rows that do not share their label (a stand-in for a bad record)
    and rows with label -1 make no pair. A pair without such a negative is not valid. The choice is a pure function of
    the distances and ``(seed, step)``, uniform over the negatives of a pair; nothing is waited for.

    Args:
        embedding: ``(B, D)``, any length.
        label: ``(B,)``.
        images_per_class: K, at least 2; divides B.
        alpha: width of the band.
        distance: ``(F, cosine) -> distance``, element by element.
        seed, step: of the run.
    """
    rows, context = len(embedding), embedding.context
    anchor, positive = _pairs(rows, images_per_class)
    pairs = (rows, images_per_class - 1)
    with autograd.pause():
        unit = nd.L2Normalization(embedding.astype("float32"))
        d = distance(nd, nd.dot(unit, unit, transpose_b=True))
        a, p = nd.array(anchor, ctx=context), nd.array(positive, ctx=context)
        d_ap = nd.pick(d.repeat(pairs[1], axis=0), p, axis=1).reshape((*pairs, 1))
        label = label.astype("float32")
        labeled = label >= 0
        other = nd.broadcast_not_equal(label.expand_dims(1), label.expand_dims(0)) * labeled.expand_dims(0)
        d_an = d.expand_dims(1)
        band = nd.broadcast_greater(d_an, d_ap) * nd.broadcast_lesser(d_an, d_ap + alpha)
        rank = nd.broadcast_mul(band, other.expand_dims(1)) * _priority(rows, pairs, seed, step, context)
        pair = (nd.take(label, a) == nd.take(label, p)) * nd.take(labeled, a)
        negative = rank.argmax(axis=2).reshape((-1,))
        valid = (rank.max(axis=2).reshape((-1,)) > 0) * pair
    return Triplets(a, p, negative, valid)


def _pairs(rows: int, images_per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of all ordered pairs, anchor by anchor."""
    row = np.arange(rows)[:, None]
    partner = row // images_per_class * images_per_class
    partner = partner + (row + np.arange(1, images_per_class)) % images_per_class
    return np.broadcast_to(row, partner.shape).ravel(), partner.ravel()


def _priority(rows: int, pairs: tuple[int, int], seed: int, step: int, context: Any) -> NDArray:
    """(B, K - 1, B), 1..B: each pair ranks the rows by one permutation of the step, started at a place of its own.

    So B + T random numbers do for T * B ranks, and the first of any set of rows is each of them equally often.
    """
    rng = generator(seed, step, Purpose.MINING)
    order = nd.array(rng.permutation(rows).reshape(1, 1, rows), ctx=context)
    start = nd.array(rng.integers(rows, size=(*pairs, 1)), ctx=context)
    return nd.broadcast_add(order, start) % rows + 1
