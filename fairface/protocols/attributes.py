"""Attributes of images, such as sex or skin colour: from a CSV file, or from columns of a pair list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable
from fairface.errors import DataError
from fairface.protocols.attribute_values import coded_values
from fairface.protocols.names import NameIndex, composed
from fairface.protocols.subjects import Subjects
from fairface.quantity import agree, quantity

IMAGE_COLUMNS = ("image", "name", "file", "template_id", "id")
PERSON_COLUMNS = ("person", "subject", "identity", "subject_id", "person_id", "identity_id", "name", "id")


@dataclass(frozen=True)
class Attributes:
    """K attributes of N images.

    Attributes:
        names: K.
        values: for each attribute the texts that its codes 0, 1, … stand for.
        codes: (N, K) int8; -1 where unknown.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: NDArray[np.int8]

    def put_into(self, comparisons: Comparisons) -> Comparisons:
        """``comparisons`` of these N images with these attributes; others that they have already are kept."""
        kept = [column for column, name in enumerate(comparisons.attribute_names) if name not in self.names]
        values = comparisons.attribute_values or ((),) * len(comparisons.attribute_names)
        before = comparisons.attributes[:, kept] if kept else np.zeros((len(self.codes), 0), np.int8)
        return replace(
            comparisons,
            attributes=np.concatenate([before, self.codes], axis=1),
            attribute_names=(*(comparisons.attribute_names[column] for column in kept), *self.names),
            attribute_values=(*(values[column] for column in kept), *self.values),
        )


def attributes_of_images(
    table: CsvTable,
    images: Sequence[str],
    columns: Sequence[str],
    image_column: str | None = None,
    allowed: Mapping[str, Sequence[str]] | None = None,
    subjects: Sequence[str] = (),
) -> Attributes:
    """The attributes of ``images`` from a table with one row for each image, or for each subject.

    Args:
        table: has a column with the image's name, or with the subject's.
        images: their names; those without a row get unknown attributes (scoring counts them). None where nobody
            named them: the table is about subjects then.
        columns: the attributes.
        image_column: its name; otherwise the first of ``IMAGE_COLUMNS``.
        allowed: for an attribute the only values that it may have, which are then its codes in this order.
        subjects: what the subject on each of the images is called; "" where nobody knows.

    Raises:
        DataError: a missing column, an image with two different rows, a value that is not allowed, or no row for any
            of the images.
    """
    count = len(images) or len(subjects)
    rows, positions = _rows_of_images(table, images, image_column, subjects)
    used = CsvTable(table.source, (), (), [table.lines[row] for row in rows])
    coded = []
    for column in columns:
        texts = table.column(column)
        coded.append(
            coded_values(used, [texts[row] for row in rows], count, positions, column, (allowed or {}).get(column))
        )
    codes = np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((count, 0), np.int8)
    return Attributes(tuple(columns), tuple(values for _, values in coded), codes)


def _rows_of_images(
    table: CsvTable, images: Sequence[str], image_column: str | None, subjects: Sequence[str]
) -> tuple[list[int], NDArray[np.int64]]:
    """Rows, and the image that each is about (-1: none of ``images``); a row about a subject stands for each image."""
    by_image = image_column or table.find(*IMAGE_COLUMNS)
    by_subject = None if image_column else table.find(*PERSON_COLUMNS)
    named: list[str] = []
    if images and (by_image is not None or by_subject is None):
        named = table.filled(by_image or IMAGE_COLUMNS[0])
        index = NameIndex(images)
        found = [-1 if (position := index.find_file(name)) is None else position for name in named]
        if max(found) >= 0:
            return list(range(len(table))), np.array(found, np.int64)
    if by_subject is not None and subjects:
        named = table.filled(by_subject)
        of_subject: dict[str, list[int]] = {}
        for image, subject in enumerate(subjects):
            of_subject.setdefault(composed(subject), []).append(image)
        pairs = [(row, image) for row, subject in enumerate(named) for image in of_subject.get(composed(subject), [-1])]
        if max(image for _, image in pairs) >= 0:
            return [row for row, _ in pairs], np.array([image for _, image in pairs], np.int64)
    raise DataError(
        f"{table.source}: none of its {quantity(len(table), 'image' if images else 'row')} is compared (it has "
        f"{named[0]!r}, the comparisons have {(*images, *subjects)[0]!r}); give the attributes of these images under "
        "their names, or of the subjects under theirs"
        if named else
        f"{table.source}: the comparisons name no subjects, so attributes of subjects cannot be assigned; name the "
        "subjects in the list of pairs"
    )  # fmt: skip


def subjects_of_images(
    table: CsvTable, images: Sequence[str], column: str, image_column: str | None = None
) -> NDArray[np.int64]:
    """The numbers of :func:`named_subjects_of_images`."""
    return named_subjects_of_images(table, images, column, image_column).numbers


def named_subjects_of_images(
    table: CsvTable, images: Sequence[str], column: str, image_column: str | None = None
) -> Subjects:
    """Who is shown on each of ``images (N,)``, from ``column`` of a table with one row for each image.

    Raises:
        DataError: a missing column or value, images without a row, or with rows that name different subjects.
    """
    found = subjects_by_table(table, images, column, image_column)
    missing = [name for name, subject in zip(images, found, strict=True) if not subject]
    if missing:
        raise DataError(
            f"{table.source}: {len(missing)} of {quantity(len(images), 'image')} {agree(len(missing), 'has', 'have')} "
            f"no row that says who is shown ({', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}); add them"
        )
    return Subjects.called(found)


def subjects_by_table(
    table: CsvTable, images: Sequence[str], column: str, image_column: str | None = None
) -> list[str]:
    """What :func:`named_subjects_of_images` are called; "" where the table has no row of an image.

    Raises:
        DataError: a missing column or value, or an image with rows that name different subjects.
    """
    named, subjects = table.filled(image_key(table, image_column)), table.filled(column)
    index = NameIndex(images)
    found: dict[int, str] = {}
    for row, (name, subject) in enumerate(zip(named, subjects, strict=True)):
        position = index.find_file(name)
        if position is not None and found.setdefault(position, subject) != subject:
            raise DataError(f"{table.where(row)}: {name} shows {subject}, but {found[position]} in another row")
    return [found.get(position, "") for position in range(len(images))]


def image_key(table: CsvTable, image_column: str | None = None) -> str:
    """The column that names the image.

    Raises:
        DataError: there is none.
    """
    found = image_column or table.find(*IMAGE_COLUMNS)
    if found is None:
        table.column(
            *IMAGE_COLUMNS,
            remedy="with a row for each person it cannot tell who is on an image: take subjects from names, or give "
            "the list of pairs the columns subject_a and subject_b",
        )
    return found or IMAGE_COLUMNS[0]
