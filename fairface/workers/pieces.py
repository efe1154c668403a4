"""Rows that every worker has some of, brought together outside a step, a piece at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray as Array

from fairface.mx import nd
from fairface.workers.exchange import Exchange
from fairface.workers.numbers import rounded_length

PIECE = 2**20  # values; the servers keep one vector of this length, however many rows there are


def spread_in_pieces(exchange: Exchange, own: Array[np.float32], first: int, total: int) -> Array[np.float32]:
    """``(total,)`` values, of which this worker has those from ``first`` on; equal on all workers.

    Workers' values follow each other without gaps. Each travels with -0.0 from everybody else, so it keeps every bit.
    """
    length = min(PIECE, rounded_length(total))
    whole = np.empty(-(-total // length) * length, np.float32)
    for begin in range(0, len(whole), length):
        sent = np.full(length, -0.0, np.float32)
        low, high = max(begin, first), min(begin + length, first + len(own))
        if low < high:
            sent[low - begin : high - begin] = own[low - first : high - first]
        whole[begin : begin + length] = exchange.sum("rows", nd.array(sent)).asnumpy()
    return whole[:total]
