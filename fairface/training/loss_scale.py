"""Dynamic loss scaling for half precision: grow while gradients stay finite, shrink and skip when they do not.

Micikevicius et al. 2018, "Mixed precision training", section 3.2.
"""

from __future__ import annotations

PATIENCE = 20  # steps in a row without a finite gradient at the smallest factor; after that, none is to be hoped for


class LossScale:
    """The factor on the loss before the backward pass.

    Args:
        initial: factor at the start; 1 without growth means no scaling.
        growth_steps: finite steps in a row after which the factor doubles; 0 = never.
    """

    def __init__(self, initial: float = 2.0**15, growth_steps: int = 2000, largest: float = 2.0**24) -> None:
        self.value = initial
        self.growth_steps = growth_steps
        self.largest = largest
        self.good_steps = 0
        self.skipped = 0
        self.at_floor = 0  # skipped steps in a row at the smallest factor

    def update(self, finite: bool) -> bool:
        """Take note of one step; returns whether its update is to be applied."""
        if not finite:
            self.at_floor += self.value == 1.0
            self.value = max(1.0, self.value / 2.0)
            self.good_steps = 0
            self.skipped += 1
            return False
        self.good_steps += 1
        self.at_floor = 0
        if self.growth_steps and self.good_steps >= self.growth_steps:
            self.value = min(self.largest, self.value * 2.0)
            self.good_steps = 0
        return True

    @property
    def exhausted(self) -> bool:
        """Whether a smaller factor can help no more: the loss itself is not finite."""
        return self.at_floor >= PATIENCE

    def state(self) -> dict[str, float]:
        """What a resumed run needs."""
        counts = {"good_steps": self.good_steps, "skipped": self.skipped, "at_floor": self.at_floor}
        return {"value": self.value, **counts}

    def load_state(self, state: dict[str, float]) -> None:
        """Take back what :meth:`state` gave."""
        self.value = float(state["value"])
        self.good_steps = int(state["good_steps"])
        self.skipped = int(state["skipped"])
        self.at_floor = int(state.get("at_floor", 0))  # not in older checkpoints
