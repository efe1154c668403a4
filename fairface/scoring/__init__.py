"""Arrays in, frozen results out: pure functions, no input or output, no MXNet.

Start at :func:`fairface.scoring.verification.evaluate` and :func:`fairface.scoring.fairness.evaluate`, which take plain
arrays. ``verification`` and ``fairness`` are modules, each with an ``__all__``: a result's type, its options and the
functions that make it stay together under one name.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__all__ = ["fairness", "verification"]

if TYPE_CHECKING:
    from fairface.scoring import fairness, verification
else:
    __getattr__, __dir__ = lazy(__name__, {name: f"fairface.scoring.{name}" for name in __all__})
