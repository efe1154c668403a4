"""Balanced Faces in the Wild: its table of pairs, saved as CSV.

The published table is a pickle, which is never opened here (it could run code); save it once with pandas:
``pandas.read_pickle("bfw-datatable.pkl").to_csv("bfw.csv", index=False)``. Its columns: fold, p1, p2 (images), label,
id1, id2, att1, att2, a score for each model, e1, e2 (ethnicity), g1, g2 (gender).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.table import CsvTable
from fairface.errors import DataError
from fairface.protocols.attribute_values import coded_values
from fairface.protocols.attributes import Attributes
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.columns import folds, truths

COLUMNS = {"ethnicity": ("e1", "e2"), "gender": ("g1", "g2")}


def is_bfw(table: CsvTable) -> bool:
    """Whether the table has BFW's columns."""
    return all(table.find(name) is not None for name in ("p1", "p2", "label", "e1", "e2", "g1", "g2"))


def bfw_comparisons(table: CsvTable, names: Sequence[str] | None = None) -> Comparisons:
    """Comparisons with the attributes ``ethnicity`` and ``gender``; a subject is the folder of the image.

    Raises:
        DataError: missing columns or values, images without a folder, pairs that contradict each other.
    """
    images = table.filled("p1"), table.filled("p2")
    subjects = [[str(PurePosixPath(name).parent) for name in side] for side in images]
    alone = next((row for side in subjects for row, folder in enumerate(side) if folder in (".", "/")), None)
    if alone is not None:
        raise DataError(
            f"{table.where(alone)}: the image has no folder, so its subject is unknown; keep BFW's paths "
            "(group/person/image.jpg)"
        )
    rows = PairRows(
        image_a=images[0],
        image_b=images[1],
        same=truths(table, ("label",)),
        fold=folds(table),
        subject_a=subjects[0],
        subject_b=subjects[1],
        lines=table.lines,
    )
    comparisons = comparisons_of_rows(rows, table.source, names)
    positions = np.concatenate([comparisons.a, comparisons.b])
    twice = CsvTable(table.source, (), (), [*table.lines, *table.lines])
    coded = [
        coded_values(twice, [*table.column(one), *table.column(two)], len(comparisons.names), positions, name)
        for name, (one, two) in COLUMNS.items()
    ]
    codes = np.stack([codes for codes, _ in coded], axis=1)
    return Attributes(tuple(COLUMNS), tuple(values for _, values in coded), codes).put_into(comparisons)
