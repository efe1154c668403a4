"""Every image of an embeddings file compared with every other, however many pairs that makes. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.cli import progress
from fairface.embedding.store import load_embeddings
from fairface.errors import DataError
from fairface.evaluation.acquisition import FailureToAcquire
from fairface.evaluation.scored_pairs import (
    PairSource,
    ScoreSource,
    check_same_images,
    failures_of,
)
from fairface.evaluation.shown_people import subjects_of, with_attributes
from fairface.evaluation.unembedded import unembedded_failures
from fairface.evaluation.verified import VerifiedSet, VerifyOptions
from fairface.protocols.all_pairs import each_image
from fairface.protocols.names import NameIndex
from fairface.quantity import quantity
from fairface.scoring.all_pairs.fairness import People
from fairface.scoring.all_pairs.scan import Watch
from fairface.scoring.all_pairs.verification import AllPairsVerification, verify_all
from fairface.scoring.fairness.failures import Unembedded
from fairface.scoring.fairness.unusable import below_half

LISTED = 2_000_000  # so many pairs are quick to score as a list, which allows more (k-fold accuracy, bands)


@dataclass(frozen=True)
class AllPairs:
    """N images, the embeddings (N, D) of each model, who is shown, and on which images detection failed: ``unembedded``
    are more such images, and ``strangers`` those of which nobody knows whether they belong here."""

    embeddings: tuple[NDArray[np.float32], ...]
    people: People
    failed: NDArray[np.bool_] | None = None
    strangers: tuple[str, ...] = ()
    unembedded: Unembedded | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the images."""
        return self.people.names

    def __len__(self) -> int:
        return len(self.names) * (len(self.names) - 1) // 2

    def failure_to_acquire(self) -> FailureToAcquire | None:
        """The counts, or None where nothing tells on which images detection failed."""
        if self.failed is None:
            return None
        kept = int((~self.failed).sum())
        names = tuple(self.names[image] for image in np.flatnonzero(self.failed))
        found = FailureToAcquire(names, len(self.names), len(self) - kept * (kept - 1) // 2, len(self))
        return found.with_unembedded(self.unembedded, self.strangers)

    def without_failures(self) -> AllPairs:
        """Only the images that did not fail; nothing is told about failures then."""
        if self.failed is None:
            return self
        kept = np.flatnonzero(~self.failed)
        names = tuple(self.names[image] for image in kept)
        people = replace(
            self.people, subjects=self.people.subjects[kept], attributes=self.people.attributes[kept], names=names
        )  # fmt: skip
        rows = tuple(of[kept] for of in self.embeddings)
        return AllPairs(rows, people)


def open_all_pairs(what: PairSource, sources: Sequence[ScoreSource]) -> AllPairs:
    """The images of the first of ``sources``, and the embeddings of all.

    Raises:
        ConfigError: who is shown cannot be told as asked for.
        DataError: what the readers refuse; models that embedded other images.
    """
    stored = load_embeddings(sources[0].embeddings)
    who = subjects_of(stored, what)
    each = with_attributes(each_image(who.numbers, stored.names, who.names), stored, what)
    failed, unknown = failures_of(what, each)
    unembedded, strangers = unembedded_failures(what, stored, each, unknown)
    rows = [stored.embeddings]
    for source in sources[1:]:
        other = load_embeddings(source.embeddings)
        check_same_images(stored, other, sources[0].embeddings, source.embeddings)
        places = NameIndex(other.names).find_all(stored.names)
        lacking = [stored.names[image] for image in np.flatnonzero(places < 0)]
        if lacking:
            raise DataError(
                f"{source.embeddings}: has no embedding of {len(lacking)} of the {quantity(len(stored), 'image')} of "
                f"{sources[0].embeddings} ({', '.join(lacking[:3])}); embed the same data with both models"
            )
        rows.append(other.embeddings[places])
    people = People(
        np.append(each.subject_a[:1], each.subject_b),
        each.attributes,
        each.attribute_names,
        each.attribute_values,
        tuple(stored.names),
    )
    return AllPairs(tuple(rows), people, failed, strangers, unembedded)


def watch(show: bool) -> Watch:
    """A progress bar over the tiles of each walk, if it is to be shown."""
    return lambda done, total, what: progress(done, total=total, label=what, unit="tile", quiet=not show)


def verify_all_pairs(pairs: AllPairs, options: VerifyOptions, show: bool = True) -> VerifiedSet:
    """:func:`fairface.evaluation.verified.verify_pairs` of all pairs of the first model's embeddings.

    Raises:
        DataError: see :func:`fairface.scoring.all_pairs.verification.verify_all`.
    """
    failures, left = pairs.failure_to_acquire(), pairs.without_failures()
    found = _verify(left if options.leave_out_failures else pairs, options, show)
    notes = [note for note in [below_half(found.result.auc)] if note]
    without = None
    if failures is not None:
        notes += failures.sentences(options.leave_out_failures)
        if not options.leave_out_failures:
            try:
                without = _verify(left, options, show).result
            except DataError as error:
                notes.append(f"without failures, the pairs cannot be scored: {error}")
    return VerifiedSet(found.result, found.curve, failures, without, tuple(notes))


def _verify(pairs: AllPairs, options: VerifyOptions, show: bool) -> AllPairsVerification:
    return verify_all(
        pairs.embeddings[0], pairs.people.subjects, options.fmr, options.rounds > 0, options.level, watch(show)
    )
