"""A step's sample of classes (partial FC, An et al. 2021, "Partial FC: training 10 million identities").

The softmax is taken over the classes of the batch and a random part of all others. Only these classes' centres are
multiplied, get a gradient and move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray as Array

from fairface.data.loading.draws import Purpose, generator
from fairface.errors import ConfigError


@dataclass(frozen=True)
class Sampling:
    """How many classes a step takes, and the seed that they are drawn with.

    Attributes:
        rate: share of each device's classes, above 0, at most 1.
        seed: of the run. A step's classes are a pure function of the seed, the step and the batch's labels.

    Raises:
        ConfigError: a rate out of range.
    """

    rate: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ConfigError(f"head.sample_rate is {self.rate}; it must be above 0, and at most 1")

    def draw(self, classes: range, targets: Array[np.integer], step: int) -> Array[np.int64]:
        """One device's sample in ``step``: positions in ``classes``, ascending.

        The classes of ``targets`` that lie here are always in. Others, drawn without replacement, fill it up to
        ``rate`` of the classes, at least one; where the targets are more than that, they alone are the sample.

        Args:
            classes: the device's classes.
            targets: labels of the whole batch; those of other devices and -1 are left out.
            step: 0-based.
        """
        positives = np.unique(targets[(targets >= classes.start) & (targets < classes.stop)]).astype(np.int64)
        positives -= classes.start
        number = max(1, round(self.rate * len(classes)))
        if len(positives) >= number:
            return positives
        draws = generator(self.seed, step, Purpose.CLASSES, stream=classes.start)
        # So many that enough are left without the positives. Their order is random, so the first of them are a sample.
        drawn = draws.choice(len(classes), size=min(number + len(positives), len(classes)), replace=False)
        others = drawn[~np.isin(drawn, positives)][: number - len(positives)]
        return np.sort(np.concatenate([positives, others]))
