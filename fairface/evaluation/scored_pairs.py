"""Comparisons with their attributes and scores, from whichever files say so. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import ConfigError, DataError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.shown_people import subjects_of, with_attributes
from fairface.evaluation.unembedded import unembedded_failures
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.columns import numbers
from fairface.protocols.failed_images import read_failed_images
from fairface.protocols.names import NameIndex
from fairface.protocols.opening import OpenedPairs, open_comparisons
from fairface.protocols.scores import read_scores
from fairface.quantity import agree, quantity
from fairface.scoring.similarity import cosine_scores


@dataclass(frozen=True)
class ScoreSource:
    """Where scores come from; exactly one of the three is given.

    Attributes:
        column: of the pair list.
        scores: a .npy in the order of the pairs, or a CSV by the names of the images.
        embeddings: embeddings.npz, or .npy with names.txt; scores are cosines.
        distance: what is given is a distance, of which the score is the negative.
    """

    column: str = ""
    scores: str = ""
    embeddings: str = ""
    distance: bool = False


@dataclass(frozen=True)
class PairSource:
    """What is compared.

    Attributes:
        pairs: the list, or "" for all pairs of the embeddings.
        kind: see :func:`fairface.protocols.opening.open_comparisons`.
        attributes: a CSV with a row for each image, or "".
        image_column: its column with the image's name; "" finds it.
        subjects_from: who is shown: ``names``, ``labels`` (of the embeddings), a column of ``attributes``, or "" for
            what the list says.
        allowed: the only values that an attribute may have.
        wanted: the attributes that will be used; of ``attributes`` only these are read.
        columns: of the list, see :func:`fairface.protocols.opening.open_comparisons`.
        failures: a list of images on which detection failed, or "".
        unscored: with ``error`` only comparisons of images that failed may lack a score.
    """

    pairs: str = ""
    kind: str = "auto"
    attributes: str = ""
    image_column: str = ""
    subjects_from: str = ""
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wanted: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    failures: str = ""
    unscored: str = "error"

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.pairs or "all pairs"


def open_scored(what: PairSource, sources: Sequence[ScoreSource]) -> ScoredPairs:
    """The comparisons, and for each of ``sources`` their scores (M,); scores that are missing are NaN.

    Raises:
        ConfigError: sources that do not fit together.
        DataError: what the readers refuse.
    """
    stored = load_embeddings(sources[0].embeddings) if sources[0].embeddings else None
    opened = compared_pairs(what, stored)
    if stored is not None:
        for source in sources[1:]:
            check_same_images(stored, load_embeddings(source.embeddings), sources[0].embeddings, source.embeddings)
    failed, strangers = failures_of(what, opened.comparisons)
    unembedded = None
    if stored is not None and not what.pairs:
        unembedded, strangers = unembedded_failures(what, stored, opened.comparisons, strangers)
    scores = tuple(_scores(source, what, opened, failed) for source in sources)
    return ScoredPairs(opened.comparisons, scores, failed, strangers, unembedded)


def compared_pairs(what: PairSource, stored: Embeddings | None = None) -> OpenedPairs:
    """The comparisons with who is shown and the attributes; ``stored`` are their embeddings, where there are any.

    Raises:
        ConfigError: sources that do not fit together.
        DataError: what the readers refuse.
    """
    if what.pairs:
        opened = open_comparisons(what.pairs, what.kind, what.allowed, what.columns, what.wanted)
    elif stored is None:
        raise ConfigError("comparing all pairs needs embeddings; give a pair list")
    else:
        who = subjects_of(stored, what)
        opened = OpenedPairs(all_pairs(who.numbers, names=stored.names, subject_names=who.names))
    return replace(opened, comparisons=with_attributes(opened.comparisons, stored, what))


def failures_of(what: PairSource, comparisons: Comparisons) -> tuple[NDArray[np.bool_] | None, tuple[str, ...]]:
    """(N,) on which images detection failed (``None``: no list tells it), and images of the list that nobody compares.

    Raises:
        DataError: the list cannot be put to the comparisons.
    """
    if not what.failures:
        return None, ()
    failed, strangers = read_failed_images(what.failures, comparisons)
    return failed, tuple(strangers)


def embedding_scores(
    stored: Embeddings, what: PairSource, comparisons: Comparisons, failed: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Cosines (M,), NaN where an image has no embedding.

    Raises:
        DataError: images without an embedding that did not fail, with ``what.unscored`` ``error``.
    """
    used, ends = np.unique(np.stack([comparisons.a, comparisons.b]), return_inverse=True)
    ends = ends.reshape(2, -1)
    places = NameIndex(stored.names).find_all([comparisons.names[image] for image in used])
    lacking = places < 0
    unexplained = lacking if failed is None else lacking & ~failed[used]
    if unexplained.any() and what.unscored == "error":
        some = [comparisons.names[image] for image in used[unexplained]]
        raise DataError(
            f"{what.title}: {len(some)} of {quantity(len(used), 'image')} {agree(len(some), 'is', 'are')} not among "
            f"the {len(stored.names)} given ({', '.join(some[:3])}{', …' if len(some) > 3 else ''}); the given names "
            f"look like {stored.names[0]!r}; if no face was found, list these images for --failures, or use --unscored "
            "leave_out or no_match"
        )
    there = ~lacking[ends].any(axis=0)
    scores = np.full(len(comparisons), np.nan)
    scores[there] = cosine_scores(stored.embeddings, places[ends[0, there]], places[ends[1, there]])
    return scores


def check_same_images(one: Embeddings, other: Embeddings, one_name: str, other_name: str) -> None:
    """Refuse embeddings that bear the same names but were made of other images.

    Names such as ``record 7`` say nothing of the data set; who is shown, and the data set's name, do.

    Raises:
        DataError: an image of one name shows somebody else, or only records' numbers are alike and the data differ.
    """
    places = NameIndex(other.names).find_all(one.names)
    shared = places >= 0
    labeled = len(one.labels) and len(other.labels)
    differ = labeled and (np.asarray(one.labels)[shared] != np.asarray(other.labels)[places[shared]]).any()
    numbered = bool(shared.any()) and all(name.startswith("record ") for name in one.names)
    data = {str(of.meta.get("data", "")) for of in (one, other)}
    if differ or (numbered and len(data) > 1):
        raise DataError(
            f"{other_name}: its images have the same names as those in {one_name}, but are different images "
            f"({' and '.join(sorted(data))}); "
            "embed the same data with both models"
        )


def _scores(
    source: ScoreSource, what: PairSource, opened: OpenedPairs, failed: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    comparisons = opened.comparisons
    if source.embeddings:
        return embedding_scores(load_embeddings(source.embeddings), what, comparisons, failed)
    if source.scores:
        excused = np.full(len(comparisons), what.unscored != "error")
        if failed is not None:
            excused |= failed[comparisons.a] | failed[comparisons.b]
        scores = read_scores(source.scores, comparisons, excused)
    elif opened.table is None:
        raise ConfigError(
            f"{what.title}: is not a CSV with a column of scores; give --scores, or --embeddings (test/embed.py)"
        )
    else:
        scores = np.array(numbers(opened.table, source.column), np.float64)
    return -scores if source.distance else scores
