"""Templates: the images of one subject pooled to one unit vector, as the IJB protocols compare them.

Images of one medium (a photograph, or the frames of one video) are averaged first, so that a long video counts as much
as a photograph; a template is the sum of its media at unit length. Media ids count inside their template only.
Source: Whitelam et al. 2017 (IJB-B) and Maze et al. 2018 (IJB-C), with the pooling that insightface and AdaFace use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from fairface.errors import DataError
from fairface.quantity import agree, quantity

_ROWS = 512  # images in hand at a time: their float64 copy stays in the processor's cache
_SHOWN = 3
_TABLE = 1 << 24  # ids below it are looked up in a table, which is faster for millions of them


@dataclass(frozen=True)
class Templates:
    """T pooled templates.

    Attributes:
        ids: (T,) int64, rising.
        features: (T, D) float64 of unit length.
    """

    ids: NDArray[np.int64]
    features: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: NDArray[np.integer]) -> NDArray[np.int32]:
        """The row of each of ``ids``.

        Raises:
            DataError: ids that are no template's (counted, the first few are named).
        """
        return positions_of(np.asarray(ids), self.ids)


def positions_of(ids: NDArray[np.integer], known: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each of ``ids`` (any shape) stands in ``known``, which rises and holds none below 0.

    Raises:
        DataError: ids that are not in ``known`` (counted, the first few are named).
    """
    top = int(max(known.max(initial=-1), ids.max(initial=-1))) + 1
    inside = ids if ids.min(initial=0) >= 0 else np.where(ids < 0, top, ids)
    if top <= _TABLE:
        table = np.full(top + 1, -1, np.int32)
        table[known] = np.arange(len(known), dtype=np.int32)
        found = table[inside]
    else:
        place = np.minimum(np.searchsorted(known, inside), len(known) - 1)
        found = np.where(known[place] == inside, place, -1).astype(np.int32)
    if found.min(initial=0) < 0:
        strange = np.unique(ids[found < 0])
        some = ", ".join(map(str, strange[:_SHOWN].tolist())) + (", …" if len(strange) > _SHOWN else "")
        raise DataError(
            f"{quantity(len(strange), 'template has', 'templates have')} no image ({some}); use the lists of one "
            "data set"
        )
    return found


def pool_templates(
    features: NDArray[np.floating],
    templates: NDArray[np.integer],
    media: NDArray[np.integer],
    weights: NDArray[np.floating] | None = None,
) -> Templates:
    """Pool ``features (N, D)``, one row for each image, to templates: mean by medium, sum of media, unit length.

    Args:
        features: of any length: a longer one counts more, as AdaFace's norms do; may be mapped from a file. Only some
            hundred rows are in hand at a time; sums are float64.
        templates, media: (N,) the template and the medium of each image.
        weights: (N,) factors of the features, such as a detector's scores.

    Raises:
        DataError: arrays of other lengths, no image, features that are not finite, a template of length zero.
    """
    _check(features, templates, media, weights)
    order = np.lexsort((media, templates))
    template, medium = templates[order], media[order]
    first_of_template = np.flatnonzero(np.append(True, template[1:] != template[:-1]))
    changes = (template[1:] != template[:-1]) | (medium[1:] != medium[:-1])
    sizes = np.diff(np.append(np.flatnonzero(np.append(True, changes)), len(template)))
    factors = np.repeat(1.0 / sizes, sizes)
    if weights is not None:
        factors *= np.asarray(weights, np.float64)[order]
    ends = np.append(first_of_template, len(template))
    pooled = np.empty((len(first_of_template), features.shape[1]), np.float64)
    sorted_already = bool((np.diff(order) == 1).all())
    for low, high in _blocks(ends):
        start, stop = int(ends[low]), int(ends[high])
        rows = features[start:stop] if sorted_already else features[order[start:stop]]
        # A sparse product adds up each template's rows; it is ten times as fast as numpy.add.reduceat.
        shape = (high - low, stop - start)
        members = csr_matrix((factors[start:stop], np.arange(shape[1]), ends[low : high + 1] - start), shape)
        pooled[low:high] = members @ rows.astype(np.float64)
    ids = template[first_of_template].astype(np.int64)
    return Templates(ids, _unit(pooled, ids, features, templates))


def _blocks(ends: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """Runs of whole templates with about ``_ROWS`` images each, at least one template."""
    low, count = 0, len(ends) - 1
    while low < count:
        high = max(low + 1, int(np.searchsorted(ends, ends[low] + _ROWS, side="right")) - 1)
        yield low, high
        low = high


def _check(
    features: NDArray[np.floating],
    templates: NDArray[np.integer],
    media: NDArray[np.integer],
    weights: NDArray[np.floating] | None,
) -> None:
    if features.ndim != 2 or 0 in features.shape:
        raise DataError(f"features have shape {features.shape}; they must be (images, dimensions)")
    for what, values in (("templates", templates), ("media", media), ("weights", weights)):
        if values is not None and values.shape != (len(features),):
            raise DataError(
                f"{quantity(len(features), 'feature')} but {values.shape} {what}; there must be one for each image"
            )
    if weights is not None and not np.isfinite(weights).all():
        bad = int(np.flatnonzero(~np.isfinite(weights))[0])
        raise DataError(f"the weight of image {bad} is not finite; correct it")


def _unit(
    pooled: NDArray[np.float64], ids: NDArray[np.int64], features: NDArray[np.floating], templates: NDArray[np.integer]
) -> NDArray[np.float64]:
    """The pooled rows at unit length; one that is not finite is traced to its images."""
    bad = ids[~np.isfinite(pooled).all(axis=1)]
    if len(bad):
        members = np.flatnonzero(np.isin(templates, bad))
        images = [image for image in members.tolist() if not np.isfinite(features[image]).all()]
        some = ", ".join(map(str, images[:_SHOWN])) + (", …" if len(images) > _SHOWN else "")
        raise DataError(
            f"{len(images)} of {quantity(len(features), 'feature')} {agree(len(images), 'is', 'are')} not finite "
            f"(index {some}); make these features again"
        )
    lengths = np.sqrt(np.einsum("td,td->t", pooled, pooled))
    empty = ids[lengths == 0.0]
    if len(empty):
        raise DataError(f"template {empty[0]} has length zero ({len(empty)} such); make its features again")
    pooled /= lengths[:, None]
    return pooled
