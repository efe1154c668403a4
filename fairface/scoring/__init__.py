"""Arrays in, frozen results out: pure functions, no input or output, no MXNet.

Start at :func:`fairface.scoring.verification.evaluate` and :func:`fairface.scoring.fairness.evaluate`, which take plain
arrays; ``identification`` and ``retrieval`` take features or scores with who they show. The four are modules, each with
an ``__all__``: a result's type, its options and the functions that make it stay together under one name.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__all__ = ["fairness", "identification", "retrieval", "verification"]

if TYPE_CHECKING:
    from fairface.scoring import fairness, identification, retrieval, verification
else:
    __getattr__, __dir__ = lazy(__name__, {name: f"fairface.scoring.{name}" for name in __all__})
