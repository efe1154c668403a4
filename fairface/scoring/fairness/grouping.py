"""From attributes of images to groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError

JOINT = "+"


@dataclass(frozen=True)
class Groups:
    """Groups of images by one attribute, or by several together.

    Attributes:
        name: the attribute, or the attributes joined by "+".
        labels: K names of groups, such as ``f`` or ``f+dark``; each occurs in the comparisons.
        of_image: (N,) int64, the group of each image; -1 where an attribute is unknown.
        first_unknown: name of the first image of the comparisons whose attribute is unknown; empty where there is none,
            or images have no names.
    """

    name: str
    labels: tuple[str, ...]
    of_image: NDArray[np.int64]
    first_unknown: str = ""

    def __len__(self) -> int:
        return len(self.labels)


def group_images(comparisons: Comparisons, attributes: Sequence[str]) -> Groups:
    """Groups by the values of ``attributes`` together; only those that an image of a comparison belongs to.

    Raises:
        DataError: the comparisons do not have one of them; two groups would bear one label.
    """
    known = comparisons.attribute_names
    missing = [name for name in attributes if name not in known]
    if missing:
        raise DataError(
            f"{', '.join(missing)}: is not among the attributes of the images "
            f"({', '.join(known) or 'they have none'}); name one that they have, or add it to the images"
        )
    columns = [known.index(name) for name in attributes]
    codes = comparisons.attributes[:, columns].astype(np.int64)
    used = np.zeros(len(codes), bool)
    used[comparisons.a] = used[comparisons.b] = True
    complete = (codes >= 0).all(axis=1)
    found, group = np.unique(codes[used & complete], axis=0, return_inverse=True)
    of_image = np.full(len(codes), -1, np.int64)
    of_image[used & complete] = group.reshape(-1)
    values = [_values(comparisons, columns, row) for row in found]
    unknown = np.flatnonzero(used & ~complete)
    first = comparisons.names[unknown[0]] if len(unknown) and comparisons.names else ""
    return Groups(JOINT.join(attributes), _labels(values, attributes), of_image, first)


def labels_of_images(
    comparisons: Comparisons, attributes: Sequence[str], codes: NDArray[np.integer]
) -> list[str | None]:
    """What the group of each of L more images is called, by its ``codes (L, K)``; None where a value is unknown."""
    columns = [comparisons.attribute_names.index(name) for name in attributes]
    rows = codes[:, columns].astype(np.int64)
    return [None if (row < 0).any() else JOINT.join(_values(comparisons, columns, row)) for row in rows]


def _values(comparisons: Comparisons, columns: Sequence[int], codes: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(value_name(comparisons, column, int(code)) for column, code in zip(columns, codes, strict=True))


def _labels(values: Sequence[tuple[str, ...]], attributes: Sequence[str]) -> tuple[str, ...]:
    """The label of each group, from its values of ``attributes``; refuses those that two groups would share."""
    found: dict[str, tuple[str, ...]] = {}
    for of_group in values:
        label = JOINT.join(of_group)
        if label in found:
            both = " and ".join(
                ", ".join(f"{name} {value!r}" for name, value in zip(attributes, group, strict=True))
                for group in (found[label], of_group)
            )
            raise DataError(f"two groups would be called {label!r} ({both}); give their values other names")
        found[label] = of_group
    return tuple(found)


def value_name(comparisons: Comparisons, column: int, code: int) -> str:
    """What ``code`` of the attribute in this column stands for; the code itself where nothing says it."""
    values = comparisons.attribute_values[column] if column < len(comparisons.attribute_values) else ()
    return values[code] if code < len(values) else str(code)


def groupings(attributes: Sequence[str]) -> list[tuple[str, ...]]:
    """What is looked at: each attribute by itself and, where there are several, all together.

    Raises:
        DataError: none is named.
    """
    if not attributes:
        raise DataError("no protected attribute is named; name one at least")
    single: list[tuple[str, ...]] = [(name,) for name in dict.fromkeys(attributes)]
    return single if len(single) < 2 else [*single, tuple(name for (name,) in single)]
