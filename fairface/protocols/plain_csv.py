"""Anybody's own CSV of comparisons: who or what is compared, the truth, scores of one or more models, attributes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable, read_csv_table
from fairface.protocols.build import PairRows, check_comparisons, comparisons_of_rows
from fairface.protocols.columns import folds, image_columns, subject_columns, truths
from fairface.protocols.pair_attributes import attributes_of_pairs


def read_plain_csv(
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    allowed: Mapping[str, Sequence[str]] | None = None,
) -> Comparisons:
    """:func:`plain_comparisons` of a file."""
    return plain_comparisons(read_csv_table(path), names, allowed)


def plain_comparisons(
    table: CsvTable,
    names: Sequence[str] | None = None,
    allowed: Mapping[str, Sequence[str]] | None = None,
    wanted: Sequence[str] = (),
) -> Comparisons:
    """Comparisons from a table with one row for each.

    Columns: ``same`` (or label, genuine …): 1 or 0; ``image_a`` and ``image_b`` (or image1 and image2, path_a …),
    unless nobody cares which images they are; ``subject_a`` and ``subject_b`` (or subject_a, id1 …), without which
    there are no intervals; ``fold``; and for each attribute ``<name>_a`` and ``<name>_b``
    (:mod:`fairface.protocols.columns` has all the names, :mod:`fairface.protocols.pair_attributes` those of
    attributes). Scores stand in columns of any name. An attribute belongs to the image: rows that name an image again
    must give the same value.

    Args:
        table: the rows.
        names: the images' names in the order wanted; otherwise in the order in which they are first mentioned.
        allowed: the only values that an attribute may have.
        wanted: attributes that will be used; for these columns ``sex1`` and ``sex2`` are understood too.

    Raises:
        DataError: a missing or empty column, values that contradict each other, only one kind of comparison.
    """
    same = truths(table)
    images, subjects = image_columns(table), subject_columns(table)
    if images is None:
        comparisons = _without_images(table, same, subjects)
    else:
        rows = PairRows(
            image_a=table.filled(images[0]),
            image_b=table.filled(images[1]),
            same=same,
            fold=folds(table),
            subject_a=table.filled(subjects[0]) if subjects else [],
            subject_b=table.filled(subjects[1]) if subjects else [],
            lines=table.lines,
        )
        comparisons = comparisons_of_rows(rows, table.source, names)
    return attributes_of_pairs(table, comparisons, allowed, wanted).put_into(comparisons)


def _without_images(table: CsvTable, same: list[bool], columns: tuple[str, str] | None) -> Comparisons:
    """Every comparison has two images of its own."""
    first = 2 * np.arange(len(same), dtype=np.int64)
    subjects = np.full((2, len(same)), -1, np.int64)
    named: tuple[str, ...] = ()
    if columns is not None:
        both = [*table.filled(columns[0]), *table.filled(columns[1])]
        found, codes = np.unique(both, return_inverse=True)
        named, subjects = tuple(found.tolist()), codes.astype(np.int64).reshape(2, -1)
    result = Comparisons(
        first, first + 1, np.array(same, bool), np.array(folds(table), np.int32), subjects[0], subjects[1],
        subject_names=named,
    )  # fmt: skip
    check_comparisons(result, table.source, table.lines)
    return result
