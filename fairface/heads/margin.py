"""Margins on the target's angle: ``s * (cos(m1 * theta + m2) - m3)`` for the target, ``s * cos(theta)`` else.

ArcFace (Deng et al. 2019, eq. 4) gives the three margins; CosFace (Wang et al. 2018) is m3 alone, SphereFace m1 alone.
Only one column per row is computed again, so the cost beyond the matrix product does not depend on the margin.
"""

from __future__ import annotations

import math
from typing import Any

from fairface.errors import ConfigError
from fairface.heads.angle import angle
from fairface.heads.base import Margin, Target

BEYOND_PI = ("cos", "clip", "linear", "easy")
_SMALLEST_SINE_SQUARED = 1e-6  # theta = 0.001; the slope of the sine grows without bound towards theta = 0 and pi


class AngularMargin(Margin):
    """The margins m1 (times), m2 (plus, radians), m3 (minus) on the target, with exact gradients.

    Args:
        s: scale of all logits, above 0.
        m1, m2, m3: the margins; (1, 0, 0) is the plain cosine.
        beyond_pi: what the target gets where ``m1 * theta + m2`` passes pi and the cosine would rise again:
            ``cos`` leaves it so (insightface, the fair-face system); ``clip`` holds it at -1 (AdaFace's ArcFace);
            ``linear`` continues as ``cos(theta) - m2 * sin(m2)`` (the original ArcFace code, VirFace; m1 = 1 only);
            ``easy`` leaves the margin out wherever theta is above 90 degrees (m1 = 1 only).
        clamp: cosines of all classes are kept within ``+-(1 - clamp)`` (AdaFace: 1e-4); 0 = as they are.

    Raises:
        ConfigError: a scale, margin or combination that is not allowed.
    """

    def __init__(
        self, s: float = 64.0, m1: float = 1.0, m2: float = 0.0, m3: float = 0.0, beyond_pi: str = "cos",
        clamp: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(s)
        _check(m1, m2, m3, beyond_pi)
        self.m1, self.m2, self.m3 = m1, m2, m3
        self.beyond_pi = beyond_pi
        self.clamp = clamp

    @property
    def uses_label(self) -> bool:
        return (self.m1, self.m2, self.m3) != (1.0, 0.0, 0.0)

    def __call__(self, F: Any, scaled: Any, target: Target | None, length: Any, *statistics: Any) -> Any:
        if self.clamp:
            scaled = F.clip(scaled, -self.s * (1 - self.clamp), self.s * (1 - self.clamp))
        if target is None:
            return scaled
        cosine = F.clip(target.cosine, self.clamp - 1, 1 - self.clamp) if self.clamp else target.cosine
        return target.add(F, scaled, (self.with_margin(F, cosine) - cosine) * self.s)

    def with_margin(self, F: Any, cosine: Any) -> Any:
        """The target's cosine with the margins; element by element."""
        if self.m1 != 1.0:
            result = F.cos(angle(F, cosine) * self.m1 + self.m2)
        elif self.m2 != 0.0:
            sine = F.sqrt(F.clip(1.0 - F.square(cosine), _SMALLEST_SINE_SQUARED, 1.0))
            result = cosine * math.cos(self.m2) - sine * math.sin(self.m2)
        else:
            result = cosine
        if self.beyond_pi == "easy":
            result = F.where(cosine > 0, result, cosine)
        elif self.beyond_pi != "cos":
            held = -F.ones_like(cosine) if self.beyond_pi == "clip" else cosine - self.m2 * math.sin(self.m2)
            result = F.where(cosine > math.cos((math.pi - self.m2) / self.m1), result, held)
        return result - self.m3


def _check(m1: float, m2: float, m3: float, beyond_pi: str) -> None:
    if not (0 < m1 <= 10 and 0 <= m2 < math.pi and 0 <= m3 <= 2):
        raise ConfigError(f"head: m1 {m1}, m2 {m2}, m3 {m3}; m1 must be above 0, up to 10, m2 in 0..3.14, m3 in 0..2")
    if beyond_pi not in BEYOND_PI:
        raise ConfigError(f"beyond_pi is {beyond_pi!r}; it can be: {', '.join(BEYOND_PI)}")
    if beyond_pi in ("linear", "easy") and m1 != 1.0:
        raise ConfigError(f"beyond_pi {beyond_pi} is defined for m1 = 1 only, m1 is {m1}; take cos or clip")
