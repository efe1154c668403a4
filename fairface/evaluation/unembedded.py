"""Images on a list of failures that a file of embeddings has no row of: who they show, as far as anything tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.embedding.store import Embeddings
from fairface.evaluation.shown_people import labels_tell, subjects_of_table, with_attributes
from fairface.protocols.names import composed, without_suffix
from fairface.protocols.subjects import subject_of_name
from fairface.scoring.fairness.failures import Unembedded

if TYPE_CHECKING:
    from fairface.evaluation.scored_pairs import PairSource


def unembedded_failures(
    what: PairSource, stored: Embeddings, comparisons: Comparisons, strangers: Sequence[str]
) -> tuple[Unembedded | None, tuple[str, ...]]:
    """Those of ``strangers`` of whom is told who they show or what they are like, and the names of the others.

    Args:
        what: says where subjects and attributes come from.
        stored: the embeddings, all of which are compared.
        comparisons: of the embedded images, with attributes.
        strangers: images on which detection failed, none of them embedded.

    Raises:
        DataError: what the readers refuse.
    """
    distinct: dict[str, str] = {}
    for name in strangers:
        distinct.setdefault(without_suffix(composed(name)), name)
    named = tuple(distinct.values())
    if not named:
        return None, ()
    count, images = len(comparisons.names), (*comparisons.names, *named)
    bare = np.zeros((len(images), 0), np.int8)
    # Codes follow from the file of attributes, not from the images, so they are those of the comparisons.
    joint = replace(comparisons, names=images, attributes=bare, attribute_names=(), attribute_values=())
    attributes = with_attributes(joint, stored, what).attributes[count:]
    subjects = _numbers(_subjects(what, images)[count:], comparisons.subject_names)
    known = (subjects >= 0) | (attributes >= 0).any(axis=1)
    kept = tuple(name for name, is_known in zip(named, known.tolist(), strict=True) if is_known)
    others = tuple(name for name, is_known in zip(named, known.tolist(), strict=True) if not is_known)
    return (Unembedded(kept, subjects[known], attributes[known]) if kept else None), others


def _subjects(what: PairSource, images: Sequence[str]) -> list[str]:
    """What the subject on each image is called; "" where nothing tells it."""
    if labels_tell(what):
        return [""] * len(images)  # the labels are those of embedded images
    if what.subjects_from == "names":
        return [subject_of_name(name) for name in images]
    return subjects_of_table(what, images)


def _numbers(subjects: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of the ``known`` subjects, and the next ones for others; -1 for ""."""
    number = {name: place for place, name in enumerate(dict.fromkeys((*known, *filter(None, subjects))))}
    return np.array([number.get(name, -1) if name else -1 for name in subjects], np.int64)
