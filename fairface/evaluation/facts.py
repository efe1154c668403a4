"""What an evaluation did, apart from what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairface.scoring.transductive.chain import TRANSDUCTIVE, StepResult


@dataclass(frozen=True)
class RunFacts:
    """What was done.

    Attributes:
        three_step, hard: the models; ``hard`` may be empty.
        source: where the pairs come from.
        pairs, images: how many.
        repeated, self_pairs: pairs that repeat an earlier one, and images compared with themselves.
        steps: of the chain.
        failed: ids on which detection failed; ``None`` where that is not told.
        notes: remarks.
        checkpoints: what the models stood for: ``three_step`` and ``hard_sample`` with their steps.
    """

    three_step: str
    hard: str
    source: str
    pairs: int
    images: int
    repeated: int
    self_pairs: int
    steps: tuple[StepResult, ...]
    failed: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    checkpoints: Mapping[str, str] = field(default_factory=dict)

    @property
    def transductive(self) -> bool:
        """Whether scores were changed by other pairs."""
        return any(step.on for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts = {"pairs": self.pairs, "images": self.images, "repeated": self.repeated, "self_pairs": self.self_pairs}
        failed = None if self.failed is None else {"count": len(self.failed), "images": list(self.failed)}
        return {
            "models": {"three_step": self.three_step, "hard_sample": self.hard or None},
            "checkpoints": dict(self.checkpoints),
            "source": self.source,
            **counts,
            "steps": [step.to_dict() for step in self.steps],
            TRANSDUCTIVE: self.transductive,
            "failed_to_detect": failed,
            "notes": list(self.notes),
        }
