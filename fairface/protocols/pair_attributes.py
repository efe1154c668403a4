"""Attributes that stand in a table of pairs, a column for each of the two images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable
from fairface.protocols.attribute_values import MAX_VALUES, coded_values
from fairface.protocols.attributes import Attributes
from fairface.protocols.columns import IMAGE_WORDS, SIDES, SUBJECT_WORDS, UNKNOWN_WORDS


def attributes_of_pairs(
    table: CsvTable,
    comparisons: Comparisons,
    allowed: Mapping[str, Sequence[str]] | None = None,
    wanted: Sequence[str] = (),
) -> Attributes:
    """The attributes of the images that ``comparisons`` of this table's rows are about.

    Columns ``<name>_a`` and ``<name>_b`` are always an attribute. ``sex1`` and ``sex2`` (``sex_1``, ``Sex 1``) are one
    where ``sex`` is wanted: such columns may as well be scores of two models. Columns that nobody wants and that hold
    more values than an attribute may have are none (sizes, scores of models A and B).

    Args:
        table: the rows, in the order of the comparisons.
        comparisons: with the images' names, or with two images of its own for each row.
        allowed: the only values that an attribute may have.
        wanted: attributes that will be used.

    Raises:
        DataError: rows that give different values for an image, a value that is not allowed, or too many values.
    """
    found = [*_lettered(table)]
    known = {name.lower() for name, _, _ in found}
    found += [item for item in _numbered(table, wanted) if item[0].lower() not in known]
    found = [item for item in found if item[0] in wanted or len(_values(table, item)) <= MAX_VALUES]
    images = len(comparisons.names) or 2 * len(comparisons)
    positions = np.concatenate([comparisons.a, comparisons.b])
    twice = CsvTable(table.source, (), (), [*table.lines, *table.lines])
    coded = [
        coded_values(
            twice, [*table.column(first), *table.column(second)], images, positions, name, (allowed or {}).get(name)
        )
        for name, first, second in found
    ]
    codes = np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((images, 0), np.int8)
    return Attributes(tuple(name for name, _, _ in found), tuple(values for _, values in coded), codes)


def _values(table: CsvTable, of: tuple[str, str, str]) -> set[str]:
    return {*table.column(of[1]), *table.column(of[2])} - set(UNKNOWN_WORDS)


def _lettered(table: CsvTable) -> Iterator[tuple[str, str, str]]:
    """Name and both columns of every attribute ``<name>_a``, ``<name>_b``."""
    taken = {*IMAGE_WORDS, *SUBJECT_WORDS}
    for column in table.names:
        name, other = column[:-2], table.find(f"{column[:-2]}_b")
        if column.lower().endswith("_a") and name.lower() not in taken and other is not None:
            yield name, column, other


def _numbered(table: CsvTable, wanted: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    one, other = SIDES[1]
    for name in dict.fromkeys(wanted):
        first, second = table.find(name + one), table.find(name + other)
        if first is not None and second is not None:
            yield name, first, second
