"""Fusion: where the hard-sample model is all but certain, its score counts.

Source: the winning entry of the ECCV 2020 fair-face challenge. The two scores stand on different scales there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.transductive.pairs import Floats


def fuse(hard: NDArray[np.floating], other: NDArray[np.floating], *, above: float = 0.99) -> Floats:
    """(M,) the score ``hard`` where it is greater than ``above``, else ``other``.

    Raises:
        DataError: different numbers of scores, or one that is not finite.
    """
    one, two = np.asarray(hard, np.float64), np.asarray(other, np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise DataError(f"{one.shape} scores cannot be fused with {two.shape}; give both models' scores of each pair")
    bad = int((~(np.isfinite(one) & np.isfinite(two))).sum())
    if bad:
        raise DataError(
            f"{bad} of {quantity(len(one), 'pair')} {agree(bad, 'has', 'have')} a score that is not finite; correct "
            "them or remove them"
        )
    return np.where(one > above, one, two)
