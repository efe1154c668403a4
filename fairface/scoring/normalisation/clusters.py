"""Clusters of embeddings in place of groups: nobody's group has to be known."""

from __future__ import annotations

import numpy as np

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.normalisation.compared import Floats, Ints


def fit_clusters(rows: Floats, clusters: int, seed: int = 0) -> Floats:
    """(K, D) centres of k-means (k-means++, ten starts) on ``rows (N, D)`` of unit length.

    Raises:
        DataError: fewer than two clusters, or more than there are rows.
    """
    if not 2 <= clusters <= len(rows):
        raise DataError(
            f"{quantity(clusters, 'cluster')} of {quantity(len(rows), 'image')}; give 2 or more, and not more than "
            "images"
        )
    from sklearn.cluster import KMeans  # here: it takes a second to import

    return np.asarray(KMeans(clusters, n_init=10, random_state=seed).fit(rows).cluster_centers_, np.float64)


def nearest(rows: Floats, centres: Floats) -> Ints:
    """(N,) the cluster of each of ``rows (N, D)``."""
    distances = (centres**2).sum(axis=1) - 2.0 * (rows @ centres.T)
    return np.asarray(distances.argmin(axis=1), np.int64)
