"""UFace's two regularisers on the lengths of an embedding's upper and lower part (Huang 2023; unpublished program).

With U(S) and D(S) the mean length of the upper and of the lower part over a set S of embeddings, not normalised, and
``eps = 1e-5``: over the masked faces M ``r = D(M) / (U(M) + D(M) + eps)`` and ``L1 = exp(r) - r``, least where the
lower part says nothing; over the other faces N ``q = D(N) / (U(N) + eps)`` and ``L2 = log(q) - q``, highest where both
parts are of one length. Means come before the ratio. Without masked faces L1 is its least value 1, without others L2
its highest value -1, and neither has a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairface.config.regions import LOWER, UPPER
from fairface.mx import NDArray, nd
from fairface.parallel import World

EPSILON = 1e-5
_SHORTEST = 1e-24  # of a squared length: the root has no slope at 0


@dataclass(frozen=True)
class PartNorms:
    """A batch's mean lengths and what the regularisers make of them, each ``(1,)`` on one device.

    Attributes:
        masked_loss, normal_loss: L1 and L2.
        lengths: ``upper_masked``, ``lower_masked``, ``upper_normal``, ``lower_normal``; 0 for a set that is empty.
        ratios: ``ratio_masked`` (r) and ``ratio_normal`` (q).
    """

    masked_loss: NDArray
    normal_loss: NDArray
    lengths: Mapping[str, NDArray]
    ratios: Mapping[str, NDArray]


def part_norms(
    embeddings: Sequence[NDArray], labels: Sequence[NDArray], regions: Mapping[str, slice], world: World
) -> PartNorms:
    """Over the rows of all devices, on the first one; gradients flow back to every device.

    Args:
        embeddings: each device's ``(b, D)``.
        labels: each device's ``(b,)``; -1 is a masked face.
        regions: which values of an embedding are its parts ``upper`` and ``lower``.
        world: the devices of the whole batch.
    """
    sums = [
        _sums(embedding.astype("float32"), label, regions) for embedding, label in zip(embeddings, labels, strict=True)
    ]
    total = world.join(sums, embeddings[0].context).sum(axis=0)
    masked, normal = total[2:3], total[5:6]
    # An empty set has sums of 0: it is divided by 1.
    upper_masked, lower_masked = (total[k : k + 1] / nd.maximum(masked, 1) for k in (0, 1))
    upper_normal, lower_normal = (total[k : k + 1] / nd.maximum(normal, 1) for k in (3, 4))
    r = lower_masked / (upper_masked + lower_masked + EPSILON)
    q = lower_normal / (upper_normal + EPSILON)
    # 1 in place of the 0 of an empty set, whose logarithm has no value and no slope.
    balanced = nd.where(normal > 0, q, nd.ones_like(q))
    return PartNorms(
        nd.exp(r) - r, nd.log(balanced) - balanced,
        {"upper_masked": upper_masked, "lower_masked": lower_masked, "upper_normal": upper_normal,
         "lower_normal": lower_normal},
        {"ratio_masked": r, "ratio_normal": q},
    )  # fmt: skip


def _sums(embedding: NDArray, label: NDArray, regions: Mapping[str, slice]) -> NDArray:
    """(1, 6): summed upper lengths, summed lower lengths and number of the masked rows, then of the others."""
    masked = (label < 0).astype("float32")
    found = []
    for chosen in (masked, 1 - masked):
        for region in (UPPER, LOWER):
            part = regions[region]
            squared = nd.slice_axis(embedding, axis=1, begin=part.start, end=part.stop).square().sum(axis=1)
            found.append((nd.sqrt(nd.maximum(squared, _SHORTEST)) * chosen).sum())
        found.append(chosen.sum())
    return nd.concat(*(value.reshape((1, 1)) for value in found), dim=1)
