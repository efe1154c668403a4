"""Images that are searched for and are also in what is searched: each would find itself, so no number means much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError, DataError
from fairface.evaluation.part import Part
from fairface.quantity import agree, quantity

_SAME = 1e-5  # of 1 - cosine: one image embedded in two batches differs by less, two photographs by far more
_SHOWN = 3


def check_distinct(searched: str, gallery: str, what: str, remedy: str = "") -> None:
    """Refuse one set as both; ``what`` calls the searched one.

    Raises:
        ConfigError: see above.
    """
    if Path(searched).resolve() == Path(gallery).resolve():
        raise ConfigError(f"{searched} is {what} and gallery, so every image would find itself; give two sets{remedy}")


def check_no_self(
    parts: Mapping[str, Part], rows: Mapping[str, NDArray[np.floating[Any]]], searched: Sequence[str],
    gallery: Sequence[str],
) -> None:  # fmt: skip
    """Refuse an image that is in a ``searched`` and in a ``gallery`` part.

    It is the same image where it is one file; where its name and its embedding are the same; and, of names without
    embeddings (which are the rows and columns of given scores), where its name is.

    Args:
        parts: by name; those that are not there are passed over.
        rows: their embeddings (N, D), as far as there are any.

    Raises:
        DataError: names the parts and some of the images.
    """
    for one, other in product((name for name in searched if name in parts), (n for n in gallery if n in parts)):
        first, second = parts[one], parts[other]
        shared = _same_files(first, second) or _same_names(first, second, rows.get(one), rows.get(other))
        if shared:
            raise DataError(
                f"{first.source}: {len(shared)} of {quantity(len(first.names), 'image')} "
                f"{agree(len(shared), 'is', 'are')} in {second.source} too "
                f"({', '.join(shared[:_SHOWN])}{', …' if len(shared) > _SHOWN else ''}), so each would find itself; "
                "leave them out of one of the two"
            )


def _same_files(one: Part, other: Part) -> list[str]:
    if one.images is None or other.images is None:
        return []
    there = {Path(other.source, name).resolve() for name in other.names}
    return [name for name in one.names if Path(one.source, name).resolve() in there]


def _same_names(
    one: Part, other: Part, rows: NDArray[np.floating[Any]] | None, others: NDArray[np.floating[Any]] | None
) -> list[str]:
    place = {name: position for position, name in enumerate(other.names)}
    both = [(position, place[name]) for position, name in enumerate(one.names) if name in place]
    if rows is not None and others is not None and rows.shape[1] == others.shape[1] and both:
        first, second = np.array(both).T
        here, there = (of.astype(np.float64) for of in (rows[first], others[second]))
        lengths = np.linalg.norm(here, axis=1) * np.linalg.norm(there, axis=1)
        alike = (here * there).sum(axis=1) > (1.0 - _SAME) * lengths
        both = [pair for pair, same in zip(both, alike.tolist(), strict=True) if same]
    elif one.images is not None or other.images is not None or rows is not None:
        return []  # names within two folders say nothing
    return [one.names[position] for position, _ in both]
