"""What the peers compute for IJB and for 10-fold verification, written as plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve
from sklearn.model_selection import KFold

FARS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
CHUNK = 100_000


def pool(features: NDArray[Any], templates: NDArray[Any], media: NDArray[Any]) -> NDArray[np.float64]:
    """One template after the other, one medium after the other."""
    ids = np.unique(templates)
    pooled = np.zeros((len(ids), features.shape[1]))
    for row, template in enumerate(ids):
        members = np.where(templates == template)[0]
        rows, kinds = features[members], media[members]
        for medium in np.unique(kinds):
            pooled[row] += rows[kinds == medium].mean(axis=0, dtype=np.float64)
    return np.asarray(pooled / np.sqrt((pooled**2).sum(axis=1, keepdims=True)))


def pair_scores(templates: NDArray[np.float64], a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """The vectors of 100,000 pairs at a time, multiplied and summed."""
    scores = np.zeros(len(a))
    for start in range(0, len(a), CHUNK):
        part = slice(start, start + CHUNK)
        scores[part] = np.sum(templates[a[part]] * templates[b[part]], axis=-1)
    return scores


def tar_at_nearest_far(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[float, list[float]]:
    """Area under scikit-learn's ROC, and TAR at the nearest of its FARs; of equally near ones the highest TAR."""
    far, tar, _ = roc_curve(same.astype(int), scores)
    area = float(auc(far, tar))
    far, tar = far[::-1], tar[::-1]
    return area, [float(tar[int(np.argmin(np.abs(far - target)))]) for target in FARS]


def identification(
    probes: NDArray[np.float64], subjects: NDArray[Any], gallery: NDArray[np.float64], enrolled: NDArray[Any]
) -> dict[str, list[float]]:
    """Ranks 1, 5, 10 and TPIR at FPIR 0.01 and 0.1, probe after probe."""
    scores = probes @ gallery.T
    place = {subject: column for column, subject in enumerate(enrolled.tolist())}
    ranks, hits, others = [], [], []
    for row, subject in zip(scores, subjects.tolist(), strict=True):
        falling = np.argsort(-row)
        if subject not in place:
            others.append(row[falling[0]])
            continue
        rank = int(np.where(falling == place[subject])[0][0])
        ranks.append(rank)
        if rank == 0:
            hits.append(row[falling[0]])
    own, stranger = np.array(ranks), np.sort(np.array(others))[::-1]
    tpir = []
    for target in (0.01, 0.1):
        allowed = math.floor(target * len(stranger) + 1e-9)
        enough = len(stranger) >= 1 / target
        tpir.append(float((np.array(hits) > stranger[allowed]).sum() / len(own)) if enough else math.nan)
    return {"ranks": [float((own < rank).mean()) for rank in (1, 5, 10)], "tpir": tpir}


def distances(embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of the unit vectors of each pair."""
    unit = embeddings / np.sqrt((embeddings**2).sum(axis=1, keepdims=True))
    return np.asarray(((unit[0::2] - unit[1::2]) ** 2).sum(axis=1))


def fold_accuracies(distance: NDArray[np.float64], same: NDArray[np.bool_], folds: int = 10) -> list[float]:
    """Fold after fold, threshold after threshold."""
    thresholds, result = np.arange(0, 4, 0.01), []
    for others, own in KFold(folds).split(distance):
        train = [np.mean((distance[others] < threshold) == same[others]) for threshold in thresholds]
        # The rates at all thresholds are computed for the fold's own pairs, too, for the ROC.
        test = [np.mean((distance[own] < threshold) == same[own]) for threshold in thresholds]
        result.append(float(test[int(np.argmax(train))]))
    return result


def val_at_far(distance: NDArray[np.float64], same: NDArray[np.bool_], target: float = 1e-3) -> tuple[float, float]:
    """Fold after fold, 4,000 thresholds, interpolated."""
    thresholds, val, far = np.arange(0, 4, 0.001), [], []
    for others, own in KFold(10).split(distance):
        rates = np.array([np.mean(distance[others][~same[others]] < threshold) for threshold in thresholds])
        threshold = np.interp(target, rates, thresholds) if rates.max() >= target else 0.0
        val.append(np.mean(distance[own][same[own]] < threshold))
        far.append(np.mean(distance[own][~same[own]] < threshold))
    return float(np.mean(val)), float(np.mean(far))
