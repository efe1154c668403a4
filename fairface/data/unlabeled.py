"""Data without labels: all labels removed, or label 0 taken as "identity unknown", the convention of UFace's data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.data.types import UNLABELED, Dataset
from fairface.data.view import DatasetView
from fairface.quantity import agree, quantity

ZERO = "0"


def without_labels(dataset: Dataset) -> DatasetView:
    """The data set with every label turned into -1 and no classes: data whose identities are not to be used."""
    labels = np.full(len(dataset), UNLABELED, np.int32)
    return DatasetView(dataset, labels=labels, num_classes=0, class_names=())


class ZeroUnlabeled(DatasetView):
    """``base`` with the class that its files call 0 turned into -1, and the classes above it moved down by one.

    In UFace's data identities have the labels 1..N and 0 marks unlabeled (masked) faces. Plain TFace indexes use 0 for
    an identity, which labels alone cannot tell apart: ``notes`` say how many became -1, and warn where 0 is followed by
    all other labels without a gap.
    """

    def __init__(self, base: Dataset) -> None:
        names = base.class_names or tuple(map(str, range(base.num_classes)))
        zero = names.index(ZERO) if ZERO in names else None
        unlabeled = np.zeros(len(base), bool) if zero is None else base.labels == zero
        labels = base.labels.copy()
        if zero is not None:
            labels[labels > zero] -= 1
            labels[unlabeled] = UNLABELED
        super().__init__(
            base,
            labels=labels,
            num_classes=base.num_classes - (zero is not None),
            class_names=tuple(name for name in names if name != ZERO),
            notes=(*base.notes, *_notes(base, names, unlabeled)),
        )


def _notes(base: Dataset, names: tuple[str, ...], unlabeled: NDArray[np.bool_]) -> tuple[str, ...]:
    zeros = int(unlabeled.sum())
    told = (
        f"{base.title}: {zeros} of {quantity(len(base), 'image')} {agree(zeros, 'has', 'have')} the label 0 and became "
        "unlabeled (-1)"
    )
    others = np.bincount(base.labels[~unlabeled & (base.labels >= 0)], minlength=base.num_classes)
    others = others[others > 0]
    if not zeros or set(names) != set(map(str, range(len(names)))):
        return (told,)
    usual = f", other identities {np.median(others):g} each" if len(others) else ""
    return (
        told,
        f"warning: {base.title}: the labels are 0 to {len(names) - 1} without a gap, as where 0 is an identity too "
        f"(label 0 has {quantity(zeros, 'image')}{usual}); if 0 is an identity here, leave zero_is_unlabeled out",
    )
