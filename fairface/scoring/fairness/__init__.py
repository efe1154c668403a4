"""How fair a recogniser is: error rates by group at one shared threshold, with intervals over subjects. No MXNet.

:func:`evaluate` takes plain arrays; :func:`fairface.scoring.fairness.assess.assess` comparisons that a protocol read.
"""

from typing import TYPE_CHECKING

from fairface.lazy import lazy

__all__ = ["FairnessOptions", "FairnessResult", "evaluate", "worst_group"]

if TYPE_CHECKING:
    from fairface.scoring.fairness.of_arrays import evaluate
    from fairface.scoring.fairness.options import FairnessOptions
    from fairface.scoring.fairness.result import FairnessResult
    from fairface.scoring.fairness.worst import worst_group
else:
    __getattr__, __dir__ = lazy(__name__, {
        "FairnessOptions": "fairface.scoring.fairness.options",
        "FairnessResult": "fairface.scoring.fairness.result",
        "evaluate": "fairface.scoring.fairness.of_arrays",
        "worst_group": "fairface.scoring.fairness.worst",
    })  # fmt: skip
