"""An attribute of images, put into comparisons whose list tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fairface.comparisons import Comparisons

MASKED = "masked"
_NO, _YES = "no", "yes"


def with_attributes_of_images(comparisons: Comparisons, columns: Mapping[str, Sequence[str]]) -> Comparisons:
    """``comparisons`` with, for each name in ``columns``, the values of its N images; "" is unknown."""
    values = {name: tuple(sorted({value for value in told if value})) for name, told in columns.items()}
    codes = [[values[name].index(value) if value else -1 for value in told] for name, told in columns.items()]
    return replace(
        comparisons,
        attributes=np.array(codes, np.int8).T.reshape(len(comparisons.names), len(columns)),
        attribute_names=tuple(columns),
        attribute_values=tuple(values.values()),
    )


def masked_column(masked: Sequence[bool | None]) -> dict[str, list[str]]:
    """The column ``masked`` with ``yes``, ``no``, and "" for None."""
    return {MASKED: ["" if one is None else _YES if one else _NO for one in masked]}
