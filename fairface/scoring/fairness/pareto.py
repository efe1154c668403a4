"""Which of several models no other one beats in two aims at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(N,) whether no other point is at least as good in both aims and better in one; larger is better in both.

    A point that is undefined (NaN) in one aim is never on the front and beats nobody.
    """
    aims = np.stack([first, second]).astype(np.float64)
    known = np.isfinite(aims).all(axis=0)
    with np.errstate(invalid="ignore"):
        as_good = (aims[:, None, :] >= aims[:, :, None]).all(axis=0)
        better = (aims[:, None, :] > aims[:, :, None]).any(axis=0)
    beaten = (as_good & better & known[None, :]).any(axis=1)
    return known & ~beaten
