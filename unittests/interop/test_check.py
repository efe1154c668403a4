"""Whether two models are the same: the difference is a share of the first one's length, over all images."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.graph.export import write_deploy
from fairface.graph.saved import Graph
from fairface.interop import check
from fairface.interop.check import check_same, difference_of
from fairface.interop.detector import load_retinaface
from fairface.interop.models import load_model
from fairface.mx import mx, nd, nn


class Sums(nn.HybridBlock):
    """An image to the means of its channels, each times a weight; remembers what it saw."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []
        self.weight = self.params.get("weight", shape=(len(weights),))
        self.weight.initialize(mx.init.Constant(nd.array(weights)))

    def forward(self, x: Any) -> Any:
        self.seen.append(x.asnumpy())
        return nd.array(x.asnumpy().mean(axis=(2, 3)) * self.weight.data().asnumpy())


@pytest.mark.parametrize("images", [1, 2, 5])
def test_the_largest_difference_as_a_share_of_the_firsts_length(images: int) -> None:
    first, second = Sums([1.0, 2.0, 3.0]), Sums([1.0, 2.5, 2.0])
    found = difference_of(first, second, 6, images)
    (pixels,), (again,) = first.seen, second.seen
    np.testing.assert_array_equal(pixels, again)
    assert pixels.shape == (images, 3, 6, 6)
    assert 0 <= pixels.min() < 20
    assert 240 < pixels.max() <= 255
    means = pixels.astype(np.float64).mean(axis=(2, 3))
    shares = [np.hypot(0.5 * m[1], m[2]) / np.sqrt(m[0] ** 2 + 4 * m[1] ** 2 + 9 * m[2] ** 2) for m in means]
    assert found == pytest.approx(max(shares), rel=1e-5)


def test_embeddings_of_almost_no_length_and_of_none() -> None:
    tiny = [1e-6, 1e-6, 1e-6]
    assert difference_of(Sums(tiny), Sums([2e-6] * 3), 6) == pytest.approx(1.0, rel=1e-4)
    assert difference_of(Sums([0.0] * 3), Sums([0.0] * 3), 6) == 0.0
    assert difference_of(Sums([0.0] * 3), Sums([1.0] * 3), 6) > 1e6


def dense(folder: Path, name: str, weight: Any, side: int = 16) -> str:
    """A model of one fully connected layer."""
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=len(weight), no_bias=True, name="fc1")
    write_deploy(Graph(symbol, {"fc1_weight": nd.array(weight)}), f"{folder}/{name}")
    return f"{folder}/{name},0"


@pytest.fixture
def weight() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (4, 3 * 16 * 16))


@pytest.mark.parametrize(("scale", "same"), [(0.0, True), (0.9e-4, True), (1.1e-4, False), (np.nan, False)])
def test_models_are_the_same_up_to_a_ten_thousandth(
    tmp_path: Path, weight: np.ndarray, scale: float, same: bool
) -> None:
    names = dense(tmp_path, "a", weight), dense(tmp_path, "b", weight * (1 + scale))
    if same:
        assert check_same(*names) == pytest.approx(scale, abs=1e-6)
        assert check_same(*names, images=1) == pytest.approx(scale, abs=1e-6)
        return
    with pytest.raises(CheckpointError, match=r"its embeddings differ from .* of their length") as caught:
        check_same(*names)
    assert str(caught.value).startswith(names[1])


def test_models_of_other_sizes_are_not_the_same(tmp_path: Path, weight: np.ndarray) -> None:
    name = dense(tmp_path, "a", weight)
    for other, size in ((dense(tmp_path, "b", weight[:3]), r"\(16, 3\)"),
                        (dense(tmp_path, "c", np.tile(weight, 4)), r"\(32, 4\)")):  # fmt: skip
        with pytest.raises(CheckpointError, match=rf"image and embedding size are {size}, those of .* are \(16, 4\)"):
            check_same(name, other)


@pytest.mark.parametrize(("function", "expected"), [
    (check_same, {"output": "models", "images": 2}), (difference_of, {"images": 2}),
    (load_model, {"output": "models", "precision": "fp32"}), (write_deploy, {"epoch": 0}),
    (load_retinaface, {"config": None}),
])  # fmt: skip
def test_defaults(function: Any, expected: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters.values()
    assert {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty} == expected
    assert check.LARGEST == 1e-4
