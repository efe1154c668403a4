"""What plain loops of numpy do of the scoring of all pairs: the other side of scoring_all_pairs.py."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.embedding.store import load_embeddings
from fairface.errors import FairfaceError

FMR = (0.01, 0.001, 0.0001)
BLOCK = 2_048  # rows and columns of scores in hand: 16 MB
Found = dict[str, Any]


def threshold_of(dimensions: int) -> float:
    """Where about 1 % of the impostors match: cosines of random directions have a deviation of 1 / sqrt(D)."""
    return float(2.326 / np.sqrt(dimensions))


def loop(args: Namespace, by_groups: bool = False) -> tuple[float, Found]:
    """Products in blocks, each of two groups; how many pairs there are, and how many match at one threshold."""
    before = time.perf_counter()
    stored = load_embeddings(args.embeddings)
    order = np.argsort(stored.attributes[:, 0], kind="stable") if by_groups else np.arange(len(stored))
    rows, subject = unit(stored.embeddings[order]), stored.labels[order]
    group = stored.attributes[order, 0].astype(np.int64) if by_groups else np.zeros(len(rows), np.int64)
    threshold = np.float32(threshold_of(args.dimensions))
    ends = np.append(np.flatnonzero(np.diff(group)) + 1, len(rows)).tolist()
    starts = [k for low, high in zip([0, *ends], ends, strict=False) for k in range(low, high, BLOCK)]
    blocks = [slice(low, high) for low, high in zip(starts, [*starts[1:], len(rows)], strict=True)]
    pairs, matches = (np.zeros((2, group[-1] + 1, group[-1] + 1), np.int64) for _ in range(2))
    for place, one in enumerate(blocks):
        for other in blocks[place:]:
            match = rows[one] @ rows[other].T >= threshold
            same = subject[one, None] == subject[None, other]
            upper = np.triu(np.ones(same.shape, bool), 1) if one == other else np.ones(same.shape, bool)
            cell = group[one.start], group[other.start]
            for kind, chosen in enumerate((same & upper, ~same & upper)):
                pairs[kind][cell] += np.count_nonzero(chosen)
                matches[kind][cell] += np.count_nonzero(chosen & match)
    seconds = time.perf_counter() - before
    cells = np.triu_indices(len(pairs[0]))
    genuine, impostor = pairs.sum(axis=(1, 2)).tolist()
    wrong = {"fnmr": (pairs[0] - matches[0])[cells].tolist(), "fmr": matches[1][cells].tolist()} if by_groups else {}
    return seconds, {"genuine": genuine, "impostor": impostor, **wrong}


def loop_by_group(args: Namespace) -> tuple[float, Found]:
    """:func:`loop` by two groups."""
    return loop(args, by_groups=True)


def sort(args: Namespace) -> tuple[float, Found]:
    """Every score in memory, sorted."""
    before = time.perf_counter()
    stored = load_embeddings(args.embeddings)
    upper = np.triu_indices(len(stored), 1)
    rows = unit(stored.embeddings.astype(np.float64))
    falling = np.argsort(-(rows @ rows.T)[upper])
    same = (stored.labels[:, None] == stored.labels[None])[upper][falling]
    genuine, impostor = np.cumsum(same), np.cumsum(~same)
    last = [np.searchsorted(impostor, fmr * impostor[-1], side="right") - 1 for fmr in FMR]
    found = {
        "genuine": int(genuine[-1]), "impostor": int(impostor[-1]),
        "auc": float(genuine[~same].mean() / genuine[-1]),
        "tar": {str(fmr): float(genuine[k] / genuine[-1]) for fmr, k in zip(FMR, last, strict=True)},
    }  # fmt: skip
    return time.perf_counter() - before, found


def unit(rows: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def check_same(task: str, ours: Found, other: Found) -> None:
    """Refuse sides that differ by more than their arithmetic explains: products of float32, areas under a grid."""
    slack = {"fnmr": 3 + 1e-6 * other["genuine"], "fmr": 3 + 1e-6 * other["impostor"], "auc": 1e-4}
    for key in sorted(ours.keys() & other.keys()):
        same = ours[key] == other[key]
        if key in slack:
            same = bool(np.abs(np.subtract(ours[key], other[key])).max() <= slack[key])
        if not same:
            raise FairfaceError(
                f"{task}: {key} is {ours[key]}, in the plain loop {other[key]}; one of the two has a defect"
            )
