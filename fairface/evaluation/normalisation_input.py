"""The people that a normaliser is fitted on, or judged on, from whichever files name them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.embedding.origin import embedded_by
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import DataError
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, open_scored
from fairface.evaluation.shown_people import labels_tell
from fairface.protocols.names import NameIndex, composed
from fairface.protocols.scores import check_scored
from fairface.protocols.subjects import subject_names_of_images
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.grouping import group_images
from fairface.scoring.normalisation.compared import Compared
from fairface.scoring.similarity import unit_rows


@dataclass(frozen=True)
class People:
    """Scored comparisons of N images and who is on them.

    Attributes:
        title: what they are called in messages.
        comparisons: M of them.
        scores: (M,) finite.
        rows: (N, D) embeddings of unit length; ``None`` where only scores are given.
        subject: (N,) who is shown.
        names: of the people, as far as they have any.
        labelled: the people by label and data set, where stored labels say who is shown.
        model: the checkpoint that made the embeddings; empty where that is not told.
    """

    title: str
    comparisons: Comparisons
    scores: NDArray[np.float64]
    rows: NDArray[np.float64] | None
    subject: NDArray[np.int64]
    names: tuple[str, ...]
    labelled: tuple[str, ...] = ()
    model: str = ""

    @property
    def dimensions(self) -> int:
        """Of the embeddings; 0 where only scores are given."""
        return 0 if self.rows is None else int(self.rows.shape[1])

    def fingerprints(self) -> tuple[str, ...]:
        """What stands for the people in a file: enough to tell that somebody is the same, not who it is."""
        return tuple(fingerprint(name) for name in (*self.names, *self.labelled))

    def compared(self, group: NDArray[np.int64]) -> Compared:
        """What a normaliser takes; ``group`` (N,)."""
        return Compared(self.scores, self.comparisons.a, self.comparisons.b, group, self.subject, self.rows)

    def used(self) -> NDArray[np.int64]:
        """The images that are compared."""
        return np.union1d(self.comparisons.a, self.comparisons.b)


def open_people(what: PairSource, source: ScoreSource) -> People:
    """Read them.

    Raises:
        ConfigError: sources that do not fit together.
        DataError: what the readers refuse; scores that are missing; people without names.
    """
    opened = open_scored(what, [source])
    comparisons, (scores,) = opened.comparisons, opened.scores
    title = what.pairs or source.embeddings
    check_scored(comparisons, scores, title)
    if (comparisons.subject_a < 0).any() or (comparisons.subject_b < 0).any():
        raise DataError(f"{title}: does not say who is shown; add subjects or use --subjects-from")
    subject = np.full(len(comparisons.names) or int(max(comparisons.a.max(), comparisons.b.max())) + 1, -1, np.int64)
    subject[comparisons.a], subject[comparisons.b] = comparisons.subject_a, comparisons.subject_b
    stored = load_embeddings(source.embeddings) if source.embeddings else None
    labelled = _labelled(stored, subject) if labels_tell(what) else ()
    names = _names(title, comparisons, subject, needed=not labelled)
    model = embedded_by(source.embeddings) if source.embeddings else ""
    return People(title, comparisons, scores, _rows(stored, comparisons), subject, names, labelled, model)


def _labelled(stored: Embeddings | None, subject: NDArray[np.int64]) -> tuple[str, ...]:
    """Labels mean the same people only in one data set, so both are named; nothing where the data set is not known."""
    data = str(stored.meta.get("data", "")) if stored is not None else ""
    known = np.unique(subject[subject >= 0]).tolist() if data else []
    return tuple(f"label {label} of {os.path.normpath(data)}" for label in known)


def _names(title: str, comparisons: Comparisons, subject: NDArray[np.int64], needed: bool) -> tuple[str, ...]:
    if comparisons.subject_names:
        found = {comparisons.subject_names[who] for who in np.unique(subject[subject >= 0])}
    else:
        told = subject_names_of_images(comparisons) if comparisons.names else []
        found = {name for name, who in zip(told, subject, strict=False) if who >= 0} - {""}
    if not found and needed:
        raise DataError(f"{title}: its people have no names, so nobody can tell whether calibration people are judged; "
                        "give a list or attributes with the subjects' names")  # fmt: skip
    return tuple(sorted(found))


def _rows(stored: Embeddings | None, comparisons: Comparisons) -> NDArray[np.float64] | None:
    if stored is None:
        return None
    return unit_rows(stored.embeddings)[NameIndex(stored.names).find_all(comparisons.names)]


def groups_of(
    people: People, protected: Sequence[str], labels: Sequence[str] = ()
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The groups by all attributes together, and that of each image (N,), in the order of ``labels`` if given.

    Raises:
        DataError: a compared image of no known group, or of a group that is not among ``labels``.
    """
    found = group_images(people.comparisons, protected)
    used = people.used()
    unknown = used[found.of_image[used] < 0]
    if len(unknown):
        name = people.comparisons.names[unknown[0]] if people.comparisons.names else f"image {unknown[0]}"
        raise DataError(
            f"{people.title}: {len(unknown)} of {quantity(len(used), 'image')} {agree(len(unknown), 'has', 'have')} no "
            f"known {found.name} ({name} first), which normalisation by group needs; add it, leave their comparisons "
            "out, or use --by clusters"
        )
    if not labels:
        return found.labels, found.of_image
    strange = sorted(set(found.labels) - set(labels))
    if strange:
        raise DataError(f"{people.title}: {', '.join(strange)}: no calibration people of this {found.name} "
                        f"({', '.join(labels)} have some); add some")  # fmt: skip
    order = np.array([labels.index(label) for label in found.labels], np.int64)
    return tuple(labels), np.where(found.of_image >= 0, order[found.of_image], -1)


def fingerprint(name: str) -> str:
    """The same for every form of an accent."""
    return hashlib.sha256(composed(name).encode()).hexdigest()[:16]


def refuse_shared(people: People, calibration: Sequence[str]) -> None:
    """Refuse to judge people who were calibrated on; ``calibration`` are their fingerprints.

    Raises:
        DataError: somebody is in both.
    """
    known = set(calibration)
    for names in (people.names, people.labelled):
        shared = [name for name in names if fingerprint(name) in known]
        if shared:
            raise DataError(
                f"{people.title}: {len(shared)} of {quantity(len(names), 'person', 'people')} "
                f"{agree(len(shared), 'is a calibration person', 'are calibration people')} too "
                f"({', '.join(shared[:3])}{', …' if len(shared) > 3 else ''}); judge on others"
            )
