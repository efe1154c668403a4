"""Who is shown on images and what they are like, from names, labels, or a file of attributes. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable, read_csv_table
from fairface.embedding.store import ATTRIBUTE_VALUES, Embeddings
from fairface.errors import ConfigError, DataError
from fairface.protocols.attributes import Attributes, attributes_of_images, named_subjects_of_images, subjects_by_table
from fairface.protocols.names import NameIndex
from fairface.protocols.subjects import Subjects, named_subjects, subject_names_of_images, with_subjects

if TYPE_CHECKING:
    from fairface.evaluation.scored_pairs import PairSource


def labels_tell(what: PairSource) -> bool:
    """Whether the labels of the embeddings say who is shown."""
    return what.subjects_from == "labels" or not (what.subjects_from or what.pairs)


def subjects_of(stored: Embeddings, what: PairSource) -> Subjects:
    """Who is on each image of ``stored``, as ``what.subjects_from`` says.

    Raises:
        ConfigError: the embeddings, or the attributes, do not tell.
    """
    if what.subjects_from == "names":
        return named_subjects(stored.names)
    if labels_tell(what):
        if len(stored.labels) == 0:
            raise ConfigError("the embeddings have no labels; take subjects from names or a column of the attributes")
        return Subjects(stored.labels.astype(np.int64))
    return _subjects_of_table(what, stored.names)


def _table_of_subjects(what: PairSource) -> CsvTable:
    if not what.attributes:
        raise ConfigError(f"subjects cannot come from {what.subjects_from!r} without a file of attributes")
    return read_csv_table(what.attributes)


def _subjects_of_table(what: PairSource, images: Sequence[str]) -> Subjects:
    table = _table_of_subjects(what)
    return named_subjects_of_images(table, images, what.subjects_from, what.image_column or None)


def subjects_of_table(what: PairSource, images: Sequence[str]) -> list[str]:
    """What the subject on each image is called by the file of attributes; "" where it has no row of an image.

    Raises:
        ConfigError: there is no such file.
        DataError: what its reader refuses.
    """
    table = _table_of_subjects(what)
    return subjects_by_table(table, images, what.subjects_from, what.image_column or None)


def with_attributes(comparisons: Comparisons, stored: Embeddings | None, what: PairSource) -> Comparisons:
    """``comparisons`` with the attributes of ``stored`` and of the file, and with who is shown.

    Raises:
        ConfigError: who is shown cannot be told as asked for.
        DataError: images without names, and what the readers refuse.
    """
    source = what.title
    of_people = bool(comparisons.subject_names) and not what.subjects_from and stored is None
    if (what.attributes or what.subjects_from or stored is not None) and not (comparisons.names or of_people):
        raise DataError(
            f"{source}: has no columns image_a and image_b, so its images are unknown; name the columns with --columns "
            "image_a=COLUMN,image_b=COLUMN, or give subject_a and subject_b alone, with attributes of subjects"
        )
    if stored is not None and stored.attribute_names:
        comparisons = _of_embeddings(stored, comparisons).put_into(comparisons)
    if what.attributes:
        table = read_csv_table(what.attributes)
        columns = [name for name in what.wanted if table.find(name) or name not in comparisons.attribute_names]
        subjects = subject_names_of_images(comparisons)
        found = attributes_of_images(
            table, comparisons.names, columns, what.image_column or None, what.allowed, subjects
        )
        comparisons = found.put_into(comparisons)
    if not what.subjects_from or not what.pairs:
        return comparisons
    if what.subjects_from == "names":
        shown = named_subjects(comparisons.names)
    elif what.subjects_from == "labels":
        if stored is None or len(stored.labels) == 0:
            raise ConfigError("subjects cannot come from labels: there are no embeddings, or they have no labels")
        places = NameIndex(stored.names).find_all(comparisons.names)
        shown = Subjects(np.where(places < 0, -1, np.asarray(stored.labels, np.int64)[places]))
    else:
        shown = _subjects_of_table(what, comparisons.names)
    return with_subjects(comparisons, shown, source)


def _of_embeddings(stored: Embeddings, comparisons: Comparisons) -> Attributes:
    places = NameIndex(stored.names).find_all(comparisons.names)
    codes = np.where(places[:, None] >= 0, stored.attributes[places], -1).astype(np.int8)
    told = stored.meta.get(ATTRIBUTE_VALUES, {})
    values = tuple(tuple(str(value) for value in told.get(name, ())) for name in stored.attribute_names)
    return Attributes(stored.attribute_names, values, codes)
