"""One device's part of the class centres: which of them a step uses, and how they move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray as Array

from fairface.heads.sharded.sampling import Sampling
from fairface.mx import Context, NDArray, nd


class ClassShard:
    """Class centres on one device.

    Without sampling a step works on all of them. With it, the step's rows are copied out of the whole (and back after
    the update), so that gradients are as large as the sample.

    Args:
        classes: which classes these are.
        weight: ``(c, D)``, their centres, where they are kept.
        context: the device that computes.

    Attributes:
        active: ``(n, D)`` on ``context``, the centres of this step.
    """

    def __init__(self, classes: range, weight: NDArray, context: Context) -> None:
        self.classes = classes
        self.weight = weight
        self.context = context
        self.momentum: NDArray | None = None
        self.active = weight
        self._index: NDArray | None = None
        self._active_momentum: NDArray | None = None

    @property
    def trains(self) -> bool:
        """Whether the centres get gradients."""
        return self.momentum is not None

    def train(self, momentum: NDArray) -> None:
        """Give the centres gradients, and ``momentum (c, D)`` that lies where they do."""
        self.momentum = momentum
        self.active.attach_grad()

    def choose(self, labels: Array[np.integer], sampling: Sampling | None, step: int) -> Array[np.int32]:
        """Take the classes of a step; returns each row's column in ``active``, -1 where its target is not here.

        Args:
            labels: (B,) of the whole batch.
            sampling: None = all classes.
            step: 0-based.
        """
        own = (labels >= self.classes.start) & (labels < self.classes.stop)
        columns = np.where(own, labels - self.classes.start, -1).astype(np.int32)
        if sampling is None:
            return columns
        index = sampling.draw(self.classes, labels, step)
        columns[own] = np.searchsorted(index, columns[own])
        self._copy_out(nd.array(index, ctx=self.weight.context, dtype="int32"))
        return columns

    def _copy_out(self, index: NDArray) -> None:
        shape = (len(index), self.weight.shape[1])
        if self._index is None or self.active.shape != shape:
            self.active = nd.empty(shape, ctx=self.context, dtype=self.weight.dtype)
            self._active_momentum = nd.empty(shape, ctx=self.context, dtype=self.weight.dtype)
            if self.trains:
                self.active.attach_grad()
        self._index = index
        rows_of(self.weight, index, self.active)

    def update(self, lr: float, momentum: float, weight_decay: float, loss_scale: float) -> None:
        """``v = momentum * v - lr * (gradient / loss_scale + weight_decay * w); w = w + v``, of this step's classes."""
        assert self.momentum is not None
        rule = {"lr": lr, "wd": weight_decay, "momentum": momentum, "rescale_grad": 1.0 / loss_scale}
        if self._index is None:
            nd.sgd_mom_update(self.weight, self.weight.grad, self.momentum, out=self.weight, **rule)
            return
        assert self._active_momentum is not None
        rows_of(self.momentum, self._index, self._active_momentum)
        nd.sgd_mom_update(self.active, self.active.grad, self._active_momentum, out=self.active, **rule)
        set_rows(self.weight, self._index, self.active)
        set_rows(self.momentum, self._index, self._active_momentum)


def rows_of(matrix: NDArray, index: NDArray, out: NDArray) -> None:
    """Copy the rows ``index`` of ``matrix`` to ``out``, which may lie on another device.

    A new array of this size would cost more than its content: its memory comes from the system page by page.
    """
    if out.context == matrix.context:
        nd.take(matrix, index, out=out)
    else:
        nd.take(matrix, index).copyto(out)


def set_rows(matrix: NDArray, index: NDArray, rows: NDArray) -> None:
    """Copy ``rows`` over the rows ``index`` of ``matrix``; no others are touched."""
    here = rows.as_in_context(matrix.context)
    nd._internal._scatter_set_nd(lhs=matrix, rhs=here, indices=index.reshape((1, -1)), shape=matrix.shape, out=matrix)
