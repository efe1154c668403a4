"""Nesterov's momentum with a result that does not depend on how a weight lies in memory."""

from __future__ import annotations

from typing import Any

from fairface.mx import NDArray, mx, nd


class NesterovSGD(mx.optimizer.NAG):
    """MXNet's NAG; weight decay is always of the weight before the update.

    ``g = gradient + wd * w``, ``m' = momentum * m - lr * g``, ``w' = w + momentum * m' - lr * g`` (Sutskever et al.
    2013, "On the importance of initialization and momentum in deep learning", written for the point looked ahead to).

    MXNet's operator writes ``w'`` before it computes ``m'``. With ``out=weight`` both are one array, and ``m'`` gets
    the decay of the new weight; on a copy of the weight it gets that of the old one. MXNet makes a copy while a
    convolution's weight is in oneDNN's blocked layout, and the moment when the layout is changed back depends on the
    machine's load: equal runs ended in other bits.
    """

    def update(self, index: int, weight: NDArray, grad: NDArray, state: Any) -> None:
        """Update the parameter ``index``; ``state`` is its momentum, None where the rule has none."""
        if state is None:
            super().update(index, weight, grad, state)
            return
        self._update_count(index)
        rule = {"lr": self._get_lr(index), "wd": self._get_wd(index), "momentum": self.momentum}
        # Never out=weight, see above; the new weights lie beside the old ones until they are copied.
        nd.nag_mom_update(weight, grad, state, rescale_grad=self.rescale_grad, **rule).copyto(weight)

    update_multi_precision = update  # parameters are float32, whatever the network computes in
