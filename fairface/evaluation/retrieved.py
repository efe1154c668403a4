"""Retrieval of images or stored embeddings: parts opened, split, embedded where needed, and ranked. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.errors import DataError
from fairface.evaluation.distinct import check_no_self
from fairface.evaluation.identified import Embed, ReadScores, embeddings_of
from fairface.evaluation.part import Part
from fairface.protocols.masked import BY_PKU_FOLDER, masked_images, pku_folder
from fairface.protocols.retrieval import RetrievalSubjects, codes_by_name, retrieval_subjects, split_rows
from fairface.scoring.retrieval import (
    DistractorHits,
    ImageSet,
    RetrievalResult,
    distractor_hits,
    retrieve,
    retrieve_scores,
)
from fairface.scoring.retrieval.ranking import RetrievalOptions

QUERY, GALLERY, DISTRACTORS = "query", "gallery", "distractors"
MASKED, COMMON = "masked", "common"


@dataclass(frozen=True)
class RetrievalParts:
    """Queries and gallery, what they are called in results, and, where there are any, distractors.

    Attributes:
        identities: identity by image name, where names do not tell it.
        cameras: camera by image name; empty where they are not known.
    """

    query: Part
    gallery: Part
    names: tuple[str, str] = (QUERY, GALLERY)
    distractors: Part | None = None
    identities: Mapping[str, str] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)

    def all(self) -> dict[str, Part]:
        """The parts by name."""
        parts = {QUERY: self.query, GALLERY: self.gallery}
        return parts if self.distractors is None else {**parts, DISTRACTORS: self.distractors}


@dataclass(frozen=True)
class Retrieved:
    """A result for each direction by its name, the identities whose queries are left out, hits against distractors,
    and what a user should know."""

    results: dict[str, RetrievalResult]
    absent: dict[str, list[str]]
    hits: DistractorHits | None
    notes: tuple[str, ...]


def split_masked(part: Part, masked: str, identities: Mapping[str, str]) -> RetrievalParts:
    """The masked images of ``part`` as queries, its common ones as gallery.

    Args:
        masked: see :func:`fairface.protocols.masked.masked_images`.

    Raises:
        DataError: what the list or the names do not tell, or only one kind of image.
    """
    rows = split_rows(masked_images(part.names, masked), part.source)
    known = dict(identities)
    if masked == BY_PKU_FOLDER:
        for name in part.names:
            told = pku_folder(name)
            if told is not None:
                known.setdefault(name, told[0])
    query, gallery = (_rows_of(part, chosen) for chosen in rows)
    return RetrievalParts(query, replace(gallery, notes=()), (MASKED, COMMON), identities=known)


def retrieve_parts(
    parts: RetrievalParts,
    embed: Embed | None,
    metric: str,
    options: RetrievalOptions,
    both: bool = False,
    scores: ReadScores | None = None,
) -> Retrieved:
    """Rank the gallery (and distractors) for each query; with ``both`` also the queries for each gallery image.

    ``scores`` reads scores (queries, gallery images) that exist already; there are no distractors then.

    Raises:
        DataError: what the protocol or the scoring refuses; embeddings of different lengths; queries that are in the
            gallery.
    """
    strangers = None if parts.distractors is None else parts.distractors.listed
    subjects = retrieval_subjects(parts.query.listed, parts.gallery.listed, strangers, parts.identities)
    rows = _no_features(parts) if scores else {name: embeddings_of(part, embed) for name, part in parts.all().items()}
    _check_lengths(parts, rows)
    # With cameras, what a query's own camera took of its identity is left out, so the query itself too.
    entered = (DISTRACTORS,) if parts.cameras else (GALLERY, DISTRACTORS)
    check_no_self(parts.all(), {} if scores else rows, (QUERY,), entered)
    sets = _image_sets(parts, subjects, rows)
    given = None if scores is None else scores((len(subjects.queries), len(subjects.gallery)))
    others = sets.get(DISTRACTORS)
    results: dict[str, RetrievalResult] = {}
    absent: dict[str, list[str]] = {}
    notes = [note for part in parts.all().values() for note in part.notes]
    ways = [(QUERY, GALLERY), (GALLERY, QUERY)] if both else [(QUERY, GALLERY)]
    called, sources = dict(zip((QUERY, GALLERY), parts.names, strict=True)), parts.all()
    for one, other in ways:
        gallery = sets[other] if others is None else _joined(sets[other], others)
        title = f"{called[one]} to {called[other]}"
        notes += subjects.absent(f"{title} ({sources[one].source})", sets[one].subjects, gallery.subjects)
        if given is None:
            results[title] = retrieve(sets[one], gallery, metric, options)
        else:
            turned = given if one == QUERY else given.T
            results[title] = retrieve_scores(
                turned, sets[one].subjects, gallery.subjects, options, sets[one].cameras, gallery.cameras
            )
        absent[title] = [subjects.names[code] for code in results[title].absent_subjects]
    hits = None
    if others is not None:
        drawn = options.rounds, options.level, options.seed
        hits = distractor_hits(sets[QUERY], sets[GALLERY], others.features, *drawn)
    return Retrieved(results, absent, hits, tuple(notes))


def _no_features(parts: RetrievalParts) -> dict[str, NDArray[np.floating]]:
    """For parts of which only names are known."""
    return {name: np.zeros((len(part.names), 1)) for name, part in parts.all().items()}


def _image_sets(
    parts: RetrievalParts, subjects: RetrievalSubjects, rows: Mapping[str, NDArray[np.floating]]
) -> dict[str, ImageSet]:
    who = {QUERY: subjects.queries, GALLERY: subjects.gallery, DISTRACTORS: subjects.distractors}
    numbers: dict[str, int] = {}
    cameras: dict[str, NDArray[np.int64]] = {}
    if parts.cameras:
        for name in (QUERY, GALLERY):
            cameras[name] = codes_by_name(parts.all()[name].listed, parts.cameras, numbers, "camera")
        # No distractor shows a query's identity, so its camera never matters.
        cameras[DISTRACTORS] = np.full(len(subjects.distractors), -1, np.int64)
    return {name: ImageSet(of, who[name], cameras.get(name)) for name, of in rows.items()}


def _joined(gallery: ImageSet, others: ImageSet) -> ImageSet:
    cameras = None
    if gallery.cameras is not None and others.cameras is not None:
        cameras = np.concatenate([gallery.cameras, others.cameras])
    features = np.concatenate([gallery.features, others.features])
    return ImageSet(features, np.concatenate([gallery.subjects, others.subjects]), cameras)


def _check_lengths(parts: RetrievalParts, rows: Mapping[str, NDArray[np.floating]]) -> None:
    sizes = {part.source: rows[name].shape[1] for name, part in parts.all().items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} in {source}" for source, size in sizes.items())
        raise DataError(f"embeddings have different lengths ({told}); make all of them with one model")


def _rows_of(part: Part, rows: Sequence[int]) -> Part:
    """Only these images of ``part``."""
    names = tuple(part.names[row] for row in rows)
    changed: dict[str, Any] = {"names": names}
    if part.images is not None:
        changed["images"] = FileDataset(part.source, names)
    if part.embeddings is not None:
        changed["embeddings"] = part.embeddings[list(rows)]
    return replace(part, **changed)
