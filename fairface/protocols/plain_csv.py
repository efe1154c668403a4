"""Anybody's own CSV of comparisons: who or what is compared, the truth, scores of one or more models, attributes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.attributes import Attributes, coded_values
from fairface.protocols.build import PairRows, check_comparisons, comparisons_of_rows
from fairface.protocols.csv_table import CsvTable, folds, read_csv_table, truths

TRUTH = ("same", "label", "genuine", "match", "truth")


def read_plain_csv(
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    allowed: Mapping[str, Sequence[str]] | None = None,
) -> Comparisons:
    """:func:`plain_comparisons` of a file."""
    return plain_comparisons(read_csv_table(path), names, allowed)


def plain_comparisons(
    table: CsvTable, names: Sequence[str] | None = None, allowed: Mapping[str, Sequence[str]] | None = None
) -> Comparisons:
    """Comparisons from a table with one row for each.

    Columns: ``same`` (or label, genuine, match, truth): 1 or 0; ``image_a`` and ``image_b``, unless nobody cares which
    images they are; ``subject_a`` and ``subject_b``, without which there are no intervals; ``fold``; and for each
    attribute ``<name>_a`` and ``<name>_b``. Scores stand in columns of any name
    (:func:`fairface.protocols.csv_table.numbers` reads them). An attribute belongs to the image: rows that name an
    image again must give the same value.

    Args:
        table: the rows.
        names: the images' names in the order wanted; otherwise in the order in which they are first mentioned.
        allowed: the only values that an attribute may have.

    Raises:
        DataError: a missing or empty column, values that contradict each other, only one kind of comparison.
    """
    for one, other in (("image_a", "image_b"), ("subject_a", "subject_b")):
        if (table.find(one) is None) != (table.find(other) is None):
            raise DataError(f"{table.source}: line 1 names only one of {one} and {other}; name both or neither")
    same = truths(table, TRUTH)
    if table.find("image_a") is None:
        comparisons = _without_images(table, same)
    else:
        rows = PairRows(
            image_a=table.filled("image_a"),
            image_b=table.filled("image_b"),
            same=same,
            fold=folds(table),
            subject_a=table.filled("subject_a") if table.find("subject_a") else [],
            subject_b=table.filled("subject_b") if table.find("subject_b") else [],
            lines=table.lines,
        )
        comparisons = comparisons_of_rows(rows, table.source, names)
    return _attributes(table, comparisons, allowed or {}).put_into(comparisons)


def _without_images(table: CsvTable, same: list[bool]) -> Comparisons:
    """Every comparison has two images of its own."""
    first = 2 * np.arange(len(same), dtype=np.int64)
    people = np.full((2, len(same)), -1, np.int64)
    if table.find("subject_a"):
        both = [*table.filled("subject_a"), *table.filled("subject_b")]
        people = np.unique(both, return_inverse=True)[1].astype(np.int64).reshape(2, -1)
    result = Comparisons(
        first, first + 1, np.array(same, bool), np.array(folds(table), np.int32), people[0], people[1]
    )
    check_comparisons(result, table.source, table.lines)
    return result


def _attributes(table: CsvTable, comparisons: Comparisons, allowed: Mapping[str, Sequence[str]]) -> Attributes:
    taken = {"image", "subject"}
    found = [
        name[:-2] for name in table.names
        if name.endswith("_a") and name[:-2] not in taken and table.find(f"{name[:-2]}_b") is not None
    ]  # fmt: skip
    images = len(comparisons.names) or 2 * len(comparisons)
    positions = np.concatenate([comparisons.a, comparisons.b])
    twice = CsvTable(table.source, (), (), [*table.lines, *table.lines])
    coded = [
        coded_values(
            twice, [*table.column(f"{name}_a"), *table.column(f"{name}_b")], images, positions, name, allowed.get(name)
        )
        for name in found
    ]
    codes = np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((images, 0), np.int8)
    return Attributes(tuple(found), tuple(values for _, values in coded), codes)
