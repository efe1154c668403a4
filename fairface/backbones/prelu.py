"""PReLU with one slope per channel, in a form that stays in oneDNN's blocked layout.

``y = x`` where ``x > 0`` and ``gamma * x`` elsewhere (He et al. 2015, eq. 1).

MXNet's own operator has no oneDNN kernel: its backward pass takes half of a training step on a CPU, and its neighbours
pay for leaving the blocked layout. The same function made of three operators that have one::

    y = x + DepthwiseConv1x1(leaky(x), (gamma - 1) / S),    leaky(x) = x where x > 0, S * x elsewhere,    S = 2 ** 32

S is a power of two, so scaling by it is exact, and what the positive side keeps of the second term, ``x * 2 ** -32``,
is far below float32's rounding (``x * 2 ** -24``). Against the textbook form ``gamma * x + (1 - gamma) * relu(x)`` this
needs one depthwise convolution less, forward and backward, and keeps one array less for the backward pass.
"""

from __future__ import annotations

from typing import Any

from fairface.errors import ConfigError
from fairface.mx import mx, nn

FORMS = ("auto", "onednn", "native")
_LARGE = 2.0**32


def prelu_form(wanted: str, on_gpu: bool) -> str:
    """``onednn`` or ``native``: ``auto`` is the first on CPUs and the second on GPUs.

    Raises:
        ConfigError: ``wanted`` is none of :data:`FORMS`.
    """
    if wanted not in FORMS:
        raise ConfigError(f"backbone.prelu is {wanted!r}; it can be: {', '.join(FORMS)}")
    if wanted == "auto":
        return "native" if on_gpu else "onednn"
    return wanted


class PReLU(nn.HybridBlock):
    """``(B, C, H, W)`` to the same shape. The slopes are ``gamma (C,)``, as insightface stores them; start value 0.25.

    Args:
        channels: C.
        form: ``onednn`` or ``native``; both give the same outputs and gradients.
    """

    def __init__(self, channels: int, form: str = "onednn") -> None:
        super().__init__()
        self._channels = channels
        self._native = form == "native"
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(channels,), init=mx.init.Constant(0.25))

    def hybrid_forward(self, F: Any, x: Any, gamma: Any) -> Any:
        if self._native:
            return F.LeakyReLU(x, gamma, act_type="prelu")
        slope = F.reshape(gamma, shape=(-1, 1, 1, 1))
        below = F.Convolution(
            F.LeakyReLU(x, act_type="leaky", slope=_LARGE), (slope - 1.0) * (1.0 / _LARGE),
            kernel=(1, 1), num_filter=self._channels, num_group=self._channels, no_bias=True,
        )  # fmt: skip
        return F.elemwise_add(x, below)
