"""Random features in the sizes of IJB-C and of a verification set; the same in every process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 10_000  # images made at a time: the whole must not count twice in the peak memory


@dataclass(frozen=True)
class Pairs:
    """How many pairs, how many of them genuine, and whether any two templates are paired."""

    count: int
    genuine: int
    any_two: bool = False


@dataclass(frozen=True)
class IjbSizes:
    """How large: each subject has one gallery template."""

    images: int
    gallery: int
    probes: int
    pairs: Pairs
    dimensions: int


@dataclass(frozen=True)
class IjbLike:
    """Images with templates and media in no order, pairs of templates, two galleries; template t has position t.

    The first ``gallery`` templates are enrolled, the others are the probes; ``subjects`` says whom each shows.
    """

    features: NDArray[np.float32]
    templates: NDArray[np.int32]
    media: NDArray[np.int32]
    gallery: int
    subjects: NDArray[np.int64]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    same: NDArray[np.bool_]
    galleries: dict[str, slice]


def ijb_like(sizes: IjbSizes, seed: int = 0) -> IjbLike:
    """Features that tell subjects apart, but not always."""
    rng = np.random.default_rng(seed)
    count = sizes.gallery + sizes.probes
    subjects = np.concatenate([np.arange(sizes.gallery), rng.integers(0, sizes.gallery, sizes.probes)])
    templates = np.concatenate([np.arange(count), rng.integers(0, count, sizes.images - count)]).astype(np.int32)
    rng.shuffle(templates)
    media = rng.integers(0, 8, sizes.images).astype(np.int32)
    centres = rng.standard_normal((sizes.gallery, sizes.dimensions), dtype=np.float32)
    own = rng.standard_normal((count, sizes.dimensions), dtype=np.float32)  # what a template's images share
    features = np.empty((sizes.images, sizes.dimensions), np.float32)
    for start in range(0, sizes.images, _BLOCK):
        part = templates[start : start + _BLOCK]
        noise = rng.standard_normal((len(part), sizes.dimensions), dtype=np.float32)
        features[start : start + _BLOCK] = 0.4 * centres[subjects[part]] + 1.5 * own[part] + noise
    a, b = _pairs(rng, sizes, subjects)
    half = sizes.gallery // 2
    galleries = {"gallery 1": slice(0, half), "gallery 2": slice(half, sizes.gallery)}
    return IjbLike(features, templates, media, sizes.gallery, subjects, a, b, subjects[a] == subjects[b], galleries)


def _pairs(
    rng: np.random.Generator, sizes: IjbSizes, subjects: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    pairs = sizes.pairs
    probes = rng.integers(sizes.gallery, sizes.gallery + sizes.probes, pairs.count).astype(np.int32)
    high = len(subjects) if pairs.any_two else sizes.gallery
    others = rng.integers(0, high, pairs.count).astype(np.int32)
    others[: pairs.genuine] = subjects[probes[: pairs.genuine]]  # the gallery template of subject s is template s
    order = rng.permutation(pairs.count)
    return others[order], probes[order]


def verification_pairs(count: int, dimensions: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(2 count, dimensions) embeddings of which rows 2i and 2i + 1 are compared, and whether they show one subject."""
    rng = np.random.default_rng(seed)
    same = np.arange(count) // (max(count // 20, 1)) % 2 == 0  # runs of both kinds in each fold, as LFW has them
    shared = rng.standard_normal((count, dimensions))
    rows = rng.standard_normal((count, 2, dimensions))
    rows[:, 0] += 0.4 * shared
    rows[:, 1] += 0.4 * shared * same[:, None]
    return rows.reshape(2 * count, dimensions), same
