"""Landmarks as a column beside the images that a run trains on, from the table of their folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairface.data.extra import with_extra
from fairface.data.types import Dataset
from fairface.errors import DataError
from fairface.faces.masks.points import point_source

LANDMARKS = "landmarks"


def with_landmarks(dataset: Dataset, table: str, size: int) -> Dataset:
    """The data set with a column ``landmarks``, ``(N, 5, 2)`` pixels of crops of ``size``; NaN where none are known.

    Args:
        dataset: images that the table calls by their path below the data's folder.
        table: ``landmarks.csv`` as align.py leaves it in the folder of its crops, or one of the crops themselves.
        size: side of the images in pixels.

    Raises:
        DataError: a table that cannot be read or knows none of the images, or a data set that has such a column.
    """
    points = point_source(Path(table).parent, Path(table))
    column = np.full((len(dataset), 5, 2), np.nan, np.float32)
    for index in range(len(dataset)):
        found = points.of(dataset.record_name(index), (size, size))
        if found is not None:
            column[index] = found
    if len(dataset) and np.isnan(column).all():
        raise DataError(
            f"{table}: has landmarks of none of the images of {dataset.title}, the first of which is "
            f"{dataset.record_name(0)}; name the table of these images, or none for aligned crops"
        )
    return with_extra(dataset, {LANDMARKS: column})
