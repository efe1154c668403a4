"""Bands of numbers, such as ages: groups are made of values, and a year of age is too small a group to say anything."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from fairface.errors import ConfigError


class Bands(tuple[str, ...]):
    """What the bands between ``bounds`` are called, lowest first: ``<18``, ``18 to <40``, ``>=40``.

    Attributes:
        bounds: where each band but the lowest begins, rising.
    """

    bounds: tuple[float, ...]

    @classmethod
    def between(cls, bounds: Sequence[float]) -> Bands:
        """The bands of ``bounds``.

        Raises:
            ConfigError: no bounds, or bounds that do not rise.
        """
        if not bounds or not all(map(math.isfinite, bounds)) or sorted(set(bounds)) != list(bounds):
            raise ConfigError(f"bounds of bands must rise, such as 18,40,65, not {','.join(f'{b:g}' for b in bounds)}")
        inner = [f"{low:.12g} to <{high:.12g}" for low, high in pairwise(bounds)]
        found = cls((f"<{bounds[0]:.12g}", *inner, f">={bounds[-1]:.12g}"))
        found.bounds = tuple(bounds)
        return found

    def band(self, text: str) -> str | None:
        """The band of the number that ``text`` writes; ``None`` where it is no finite number."""
        try:
            value = float(text)
        except ValueError:
            return None
        return self[bisect_right(self.bounds, value)] if math.isfinite(value) else None
