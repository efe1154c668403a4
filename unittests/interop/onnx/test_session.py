"""ONNX files that are no recognition network are refused in one line; those that are run in any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.onnx.session import open_net
from unittests.interop.onnx.files import DIMENSIONS, SIZE, expected, network


@pytest.mark.parametrize("batch", ["N", 1, 3])
def test_any_number_of_images_in_a_free_or_a_fixed_batch(batch: Any) -> None:
    net = open_net(network(batch=batch), "other.onnx", threads=1)
    assert (net.image_size, net.dimensions, net.batch) == (SIZE, DIMENSIONS, None if batch == "N" else batch)
    x = np.random.default_rng(0).normal(size=(5, 3, SIZE, SIZE)).astype(np.float32)
    np.testing.assert_allclose(net(x), expected(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no network", r"other.onnx: ONNX Runtime cannot read this network \("),
        (network(outputs=2), "has 2 outputs .683, norm1., an embedding network has one; export the embedding alone"),
        (network(channels=1), r"takes input.1 tensor.float. \['N', 1, 16, 16\]; an embedding network takes one"),
        (network(size=(16, 32)), "takes images of 32x16 pixels; only square ones"),
        (network(size=("H", "W")), "does not take 112x112 RGB images"),
    ],
)
def test_what_cannot_embed_is_named(content: bytes, said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as error:
        open_net(content, "other.onnx", threads=1)
    assert "\n" not in str(error.value)
