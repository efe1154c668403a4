"""Extra columns for any data set."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from fairface.data.columns import float_columns
from fairface.data.types import Dataset
from fairface.data.view import DatasetView
from fairface.errors import DataError


def with_extra(dataset: Dataset, columns: Mapping[str, ArrayLike]) -> DatasetView:
    """The data set with further columns, ``(N, …)`` numbers each: ``with_extra(data, {"landmarks": xy})``.

    Raises:
        DataError: a column has another length, or the data set has one of this name already.
    """
    for name in columns:
        if name in dataset.extra:
            raise DataError(f"{dataset.title}: has a column {name} already; give the new one another name")
    return DatasetView(dataset, extra={**dataset.extra, **float_columns(dataset.title, len(dataset), columns)})
