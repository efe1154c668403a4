"""Comparisons with their attributes and scores, from whichever files say so. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import ConfigError, DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.attributes import Attributes, attributes_of_images, subjects_of_images
from fairface.protocols.csv_table import CsvTable, numbers, read_csv_table
from fairface.protocols.names import NameIndex
from fairface.protocols.opening import open_comparisons
from fairface.protocols.scores import read_scores
from fairface.protocols.subjects import subjects_from_names, with_subjects
from fairface.scoring.similarity import cosine_scores

ATTRIBUTE_VALUES = "attribute_values"  # in the meta of embeddings


@dataclass(frozen=True)
class ScoreSource:
    """Where scores come from; exactly one of the three is given.

    Attributes:
        column: of the pair list.
        scores: a .npy in the order of the pairs, or a CSV by the names of the images.
        embeddings: embeddings.npz, or .npy with names.txt; scores are cosines.
    """

    column: str = ""
    scores: str = ""
    embeddings: str = ""


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
    """

    pairs: str = ""
    kind: str = "auto"
    attributes: str = ""
    image_column: str = ""
    subjects_from: str = ""
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wanted: Sequence[str] = ()


def open_scored(what: PairSource, sources: Sequence[ScoreSource]) -> tuple[Comparisons, list[NDArray[np.float64]]]:
    """The comparisons, and for each of ``sources`` their scores (M,); scores in a column may be NaN.

    Raises:
        ConfigError: sources that do not fit together.
        DataError: what the readers refuse.
    """
    stored = load_embeddings(sources[0].embeddings) if sources[0].embeddings else None
    table: CsvTable | None = None
    if what.pairs:
        opened = open_comparisons(what.pairs, what.kind, what.allowed)
        comparisons, table = opened.comparisons, opened.table
    elif stored is None:
        raise ConfigError("all pairs can be compared of embeddings only; give a pair list")
    else:
        comparisons = all_pairs(_people(stored, what), names=stored.names)
    comparisons = _with_attributes(comparisons, stored, what)
    if stored is not None:
        for source in sources[1:]:
            check_same_images(stored, load_embeddings(source.embeddings), sources[0].embeddings, source.embeddings)
    return comparisons, [_scores(source, what, comparisons, table) for source in sources]


def check_same_images(one: Embeddings, other: Embeddings, one_name: str, other_name: str) -> None:
    """Refuse embeddings that bear the same names but were made of other images.

    Names such as ``record 7`` say nothing of the data set; who is shown, and the data set's name, do.

    Raises:
        DataError: an image of one name shows somebody else, or only records' numbers are alike and the data differ.
    """
    index = NameIndex(other.names)
    places = np.array([-1 if (place := index.find(name)) is None else place for name in one.names], np.int64)
    shared = places >= 0
    labeled = len(one.labels) and len(other.labels)
    differ = labeled and (np.asarray(one.labels)[shared] != np.asarray(other.labels)[places[shared]]).any()
    numbered = bool(shared.any()) and all(name.startswith("record ") for name in one.names)
    data = {str(of.meta.get("data", "")) for of in (one, other)}
    if differ or (numbered and len(data) > 1):
        raise DataError(
            f"{other_name}: its images bear the names of those in {one_name}, but are others "
            f"({' and '.join(sorted(data))}); "
            "embed the same data with both models"
        )


def _people(stored: Embeddings, what: PairSource) -> NDArray[np.integer]:
    if what.subjects_from == "names":
        return subjects_from_names(stored.names)
    if what.subjects_from in ("", "labels"):
        if len(stored.labels) == 0:
            raise ConfigError("the embeddings hold no labels; say who is shown: names, or a column of the attributes")
        return stored.labels
    return _people_of_table(what, stored.names)


def _people_of_table(what: PairSource, images: Sequence[str]) -> NDArray[np.int64]:
    if not what.attributes:
        raise ConfigError(f"who is shown cannot come from {what.subjects_from!r} without a file of attributes")
    table = read_csv_table(what.attributes)
    return subjects_of_images(table, images, what.subjects_from, what.image_column or None)


def _with_attributes(comparisons: Comparisons, stored: Embeddings | None, what: PairSource) -> Comparisons:
    source = what.pairs or "all pairs"
    if (what.attributes or what.subjects_from or stored is not None) and not comparisons.names:
        raise DataError(f"{source}: has no columns image_a and image_b, so nothing can be told about its images")
    if stored is not None and stored.attribute_names:
        comparisons = _of_embeddings(stored, comparisons).put_into(comparisons)
    if what.attributes:
        table = read_csv_table(what.attributes)
        columns = [name for name in what.wanted if table.find(name) or name not in comparisons.attribute_names]
        found = attributes_of_images(table, comparisons.names, columns, what.image_column or None, what.allowed)
        comparisons = found.put_into(comparisons)
    if not what.subjects_from or not what.pairs:
        return comparisons
    if what.subjects_from == "names":
        people = subjects_from_names(comparisons.names)
    elif what.subjects_from == "labels":
        if stored is None or len(stored.labels) == 0:
            raise ConfigError("who is shown cannot come from labels: there are no embeddings, or they hold none")
        people = np.asarray(stored.labels, np.int64)[NameIndex(stored.names).positions(comparisons.names, source)]
    else:
        people = _people_of_table(what, comparisons.names)
    return with_subjects(comparisons, people, source)


def _of_embeddings(stored: Embeddings, comparisons: Comparisons) -> Attributes:
    index = NameIndex(stored.names)
    places = np.array([-1 if (p := index.find(name)) is None else p for name in comparisons.names], np.int64)
    codes = np.where(places[:, None] >= 0, stored.attributes[places], -1).astype(np.int8)
    told = stored.meta.get(ATTRIBUTE_VALUES, {})
    values = tuple(tuple(str(value) for value in told.get(name, ())) for name in stored.attribute_names)
    return Attributes(stored.attribute_names, values, codes)


def _scores(
    source: ScoreSource, what: PairSource, comparisons: Comparisons, table: CsvTable | None
) -> NDArray[np.float64]:
    if source.embeddings:
        stored = load_embeddings(source.embeddings)
        used, ends = np.unique(np.stack([comparisons.a, comparisons.b]), return_inverse=True)
        ends = ends.reshape(2, -1)
        places = NameIndex(stored.names).positions([comparisons.names[i] for i in used], what.pairs or "all pairs")
        return cosine_scores(stored.embeddings, places[ends[0]], places[ends[1]])
    if source.scores:
        return read_scores(source.scores, comparisons)
    if table is None:
        raise ConfigError(f"{what.pairs or 'all pairs'}: is no CSV with a column of scores; give scores or embeddings")
    return np.array(numbers(table, source.column), np.float64)
