"""What the tests of heads share: the references' numbers, one pass through a head, numerical gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fairface.heads.classifier import Classifier
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, nd

FOLDER = Path(__file__).parent.parent / "vectors"


def vectors(name: str) -> Any:
    """Numbers that a published implementation gave."""
    return np.load(FOLDER / f"{name}.npz")


def run(
    head: Classifier,
    x: np.ndarray,
    weight: np.ndarray,
    label: Sequence[int] | np.ndarray,
    dtype: str = "float32",
    hybridize: bool = True,
    statistics: Sequence[Any] = (),
    smoothing: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logits, rows' losses and the gradients of the mean loss."""
    head.initialize(force_reinit=True)
    criterion = CrossEntropy(smoothing)
    head.cast(dtype)
    head.weight.set_data(nd.array(weight, dtype=dtype))
    if hybridize:
        head.hybridize()
        criterion.hybridize()
    data, target = nd.array(x, dtype=dtype), nd.array(label, dtype="int32")
    arguments = [nd.array(np.reshape(value, (1,)), dtype=dtype) for value in statistics]
    data.attach_grad()
    with autograd.record():
        logits = head(data, target, *arguments)
        rows = criterion(logits, target)
        loss = rows.mean()
    loss.backward()
    return logits.asnumpy(), rows.asnumpy(), data.grad.asnumpy(), head.weight.grad().asnumpy()


def forward(
    head: Classifier, x: np.ndarray, weight: np.ndarray, label: np.ndarray, statistics: Sequence[float],
    smoothing: float,
) -> float:  # fmt: skip
    """The mean loss in float64, of a head that :func:`run` has set up."""
    head.weight.set_data(nd.array(weight, dtype="float64"))
    arguments = [nd.array([value], dtype="float64") for value in statistics]
    target = nd.array(label, dtype="int32")
    return float(
        CrossEntropy(smoothing)(head(nd.array(x, dtype="float64"), target, *arguments), target).mean().asscalar()
    )


def start_of(head: Classifier) -> list[float]:
    """The head's statistics before the first step."""
    return [] if head.statistic is None else list(head.statistic.start.values())


def close(actual: Any, expected: Any, rtol: float) -> None:
    """Equal up to ``rtol`` times the largest expected value."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max())


def slopes(function: Callable[[np.ndarray], float], array: np.ndarray, indices: Any, step: float = 1e-6) -> np.ndarray:
    """Central differences of ``function`` at the flat ``indices`` of ``array``."""
    found = []
    for index in indices:
        shift = np.zeros(array.size)
        shift[index] = step
        shift = shift.reshape(array.shape)
        found.append((function(array + shift) - function(array - shift)) / (2 * step))
    return np.array(found)


def unit(array: np.ndarray) -> np.ndarray:
    """Rows at unit length, float64."""
    array = array.astype(float)
    return array / np.linalg.norm(array, axis=1, keepdims=True)
