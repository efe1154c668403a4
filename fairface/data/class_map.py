"""Labels with gaps become classes 0..N-1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.types import UNLABELED
from fairface.quantity import quantity


@dataclass(frozen=True)
class ClassMap:
    """``labels (N,)`` int32 are classes 0..C-1 (-1: unlabeled); ``given (C,)`` int64 is the label that each class has
    in the file, ascending."""

    labels: NDArray[np.int32]
    given: NDArray[np.int64]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' labels in the file, as text."""
        return tuple(map(str, self.given.tolist()))

    def notes(self, source: str) -> tuple[str, ...]:
        """A sentence where labels have gaps; none where classes are labels."""
        count = len(self.given)
        if not count or int(self.given[-1]) == count - 1:
            return ()
        return (
            f"{source}: {quantity(count, 'different label')} from {self.given[0]} to {self.given[-1]} became "
            f"classes 0 to {count - 1}, in ascending order",
        )


def map_classes(given: NDArray[np.int64]) -> ClassMap:
    """Number the labels that occur in ascending order; -1 stays -1."""
    labeled = given != UNLABELED
    classes, dense = np.unique(given[labeled], return_inverse=True)
    labels = np.full(len(given), UNLABELED, np.int32)
    labels[labeled] = dense
    return ClassMap(labels, classes)
