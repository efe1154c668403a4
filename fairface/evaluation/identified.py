"""1:N identification of images or stored embeddings: parts opened, embedded where needed, enrolled and searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.encoded import FileDataset
from fairface.data.image_kinds import LeftOut
from fairface.data.text_lines import read_lines
from fairface.embedding.store import load_embeddings
from fairface.errors import ConfigError, DataError
from fairface.evaluation.distinct import check_no_self
from fairface.evaluation.part import Part
from fairface.faces.photographs import list_photographs
from fairface.protocols.identification import search_subjects
from fairface.quantity import agree, quantity
from fairface.scoring.identification import Gallery, IdentificationResult, identify, identify_scores
from fairface.scoring.templates import pool_templates

PARTS = ("gallery", "probe", "unknown", "distractors")
SEARCHED, ENTERED = ("probe", "unknown"), ("gallery", "distractors")
STORED = (".npz", ".npy")
LISTED = ".txt"
ENROL = ("template", "images")
Embed = Callable[[Any], NDArray[np.floating]]
ReadScores = Callable[[tuple[int, int]], NDArray[np.float64]]


@dataclass(frozen=True)
class Identified:
    """The result, and what a user should know."""

    result: IdentificationResult
    notes: tuple[str, ...]


def open_part(path: str) -> Part:
    """A folder of images at any depth, stored embeddings, or a list of names (``.txt``, one a line).

    Raises:
        DataError: it is not there, is none of these, holds no image, its embeddings are damaged, or a list names an
            image twice.
    """
    if Path(path).suffix.lower() == LISTED and not Path(path).is_dir():
        listed, _ = read_lines(Path(path), "'<name of an image>'")
        repeated = [name for name, count in Counter(listed).items() if count > 1]
        if repeated:
            raise DataError(
                f"{path}: {quantity(len(repeated), 'image is', 'images are')} named twice or more ({repeated[0]}); "
                "name each once"
            )
        return Part(path, tuple(listed), None, None)
    if Path(path).suffix.lower() in STORED and not Path(path).is_dir():
        stored = load_embeddings(path)
        return Part(path, stored.names, None, stored.embeddings)
    names, others = list_photographs(path)
    return Part(path, tuple(names), FileDataset(path, names), None, LeftOut.of(others).notes(path))


def check_parts(parts: Mapping[str, Part], has_model: bool) -> None:
    """Refuse images without a model, a model without images, and names without embeddings.

    Raises:
        ConfigError: see above.
    """
    lists = [part.source for part in parts.values() if part.images is None and part.embeddings is None]
    if lists:
        raise ConfigError(f"{lists[0]} lists names: give their --embeddings FILE or --scores FILE")
    of_images = [name for name, part in parts.items() if part.images is not None]
    if of_images and not has_model:
        source = parts[of_images[0]].source
        raise ConfigError(f"{source} holds images: name the --model, or give stored embeddings (--embeddings)")
    if has_model and len(of_images) < len(parts):
        stored = next(part.source for part in parts.values() if part.images is None)
        raise ConfigError(f"{stored} holds embeddings already; give a --model for folders of images only")


def identify_parts(
    parts: Mapping[str, Part],
    embed: Embed | None,
    enrol: str,
    identities: Mapping[str, str],
    scores: ReadScores | None = None,
    **options: Any,
) -> Identified:
    """Search the gallery (and distractors) of ``parts`` for its probes (and unknown).

    Args:
        parts: by the names of :data:`PARTS`; the first two must be there.
        embed: a model; ``None`` where every part has embeddings.
        enrol: ``template`` pools the images of an identity to one entry, ``images`` enrols each.
        identities: identity by image name, where names do not tell it.
        scores: reads scores of this shape that exist already: a row for each probe (then each unknown), a column for
            each image of the gallery (then each distractor).
        options: of :func:`fairface.scoring.identification.identify`.

    Raises:
        DataError: what the protocol or the scoring refuses; embeddings of different lengths; scores of several images
            of an identity that are to be one entry; probes that are in the gallery.
    """
    listed = [parts[name].listed if name in parts else None for name in PARTS]
    assert listed[0] is not None
    assert listed[1] is not None
    subjects = search_subjects(listed[0], listed[1], listed[2], listed[3], identities)
    notes = (*(note for part in parts.values() for note in part.notes), *subjects.notes)
    if scores is not None:
        check_no_self(parts, {}, SEARCHED, ENTERED)
        if enrol != ENROL[1]:
            _check_one_each(parts["gallery"].source, subjects.gallery)
        given = scores((len(subjects.probes), len(subjects.gallery)))
        of_scores = identify_scores(given, subjects.probes, subjects.gallery, several=enrol == ENROL[1], **options)
        return Identified(of_scores, notes)
    rows = {name: embeddings_of(part, embed) for name, part in parts.items()}
    sizes = {part.source: rows[name].shape[1] for name, part in parts.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} in {source}" for source, size in sizes.items())
        raise DataError(f"embeddings have different lengths ({told}); make all of them with one model")
    check_no_self(parts, rows, SEARCHED, ENTERED)
    enrolled = np.concatenate([rows[name] for name in ENTERED if name in rows])
    searched = np.concatenate([rows[name] for name in SEARCHED if name in rows])
    gallery = Gallery(enrolled, subjects.gallery)
    if enrol == "template":
        pooled = pool_templates(enrolled, subjects.gallery, np.arange(len(enrolled)))
        gallery = Gallery(pooled.features, pooled.ids)
    result = identify(searched, subjects.probes, gallery, several=enrol == "images", **options)
    return Identified(result, notes)


def _check_one_each(source: str, subjects: NDArray[np.int64]) -> None:
    repeated = len(subjects) - len(np.unique(subjects))
    if repeated:
        raise DataError(
            f"{source}: {repeated} of {quantity(len(subjects), 'image')} {agree(repeated, 'shows', 'show')} an "
            "identity that has a column already, and scores cannot be pooled to one entry; add --enrol images, or "
            "give one column for each identity"
        )


def embeddings_of(part: Part, embed: Embed | None) -> NDArray[np.floating]:
    """(N, D) embeddings of a part that :func:`check_parts` has let pass."""
    if part.embeddings is not None:
        return part.embeddings
    assert embed is not None  # check_parts
    return embed(part.images)
