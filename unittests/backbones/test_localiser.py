"""LPD's crop against numbers of the released code, a loop in float64 and finite differences; where it starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairface.backbones.localiser import TOP, Localiser, crop
from fairface.config.schema import LPDConfig
from fairface.mx import autograd, nd

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "lpd_stn.npz")
SIZE = 7


def sampled(image: np.ndarray, where: np.ndarray, pixels: str) -> np.ndarray:
    """The crop of one image (3, S, S), pixel by pixel."""
    size = image.shape[1]
    sx, sy, ty, tx = where
    inner = np.zeros_like(image)
    border = 1 if pixels == "released" else 0
    inner[:, border : size - border, border : size - border] = image[:, border : size - border, border : size - border]
    last = size - 2 if pixels == "released" else size - 1
    result = np.zeros_like(image)
    for row in range(size):
        for column in range(size):
            x = (sx * (2 * column / (size - 1) - 1) + tx + 1) / 2 * last
            y = (sy * (2 * row / (size - 1) - 1) + ty + 1) / 2 * last
            for i in (int(np.floor(y)), int(np.floor(y)) + 1):
                for j in (int(np.floor(x)), int(np.floor(x)) + 1):
                    if 0 <= i < size and 0 <= j < size:
                        result[:, row, column] += (1 - abs(y - i)) * (1 - abs(x - j)) * inner[:, i, j]
    return result


def cut(x: np.ndarray, raw: np.ndarray, out: np.ndarray, pixels: str, offset: float) -> list[np.ndarray]:
    """The crop, and the gradients of sum(crop * out) for image and for what goes into the tanh."""
    image, inner = nd.array(x), nd.array(raw)
    for array in (image, inner):
        array.attach_grad()
    with autograd.record():
        where = nd.tanh(inner) + nd.array([[0, offset, 0, 0]])
        found = crop(nd, image, where, x.shape[2], pixels)
        loss = (found * nd.array(out)).sum()
    loss.backward()
    return [array.asnumpy() for array in (found, image.grad, inner.grad)]


@pytest.mark.parametrize(
    ("prefix", "pixels", "offset"), [("", "released", 0.0), ("gugu_ac1_", "corners", 0.6)]
)  # fmt: skip
def test_numbers_of_the_published_programs(prefix: str, pixels: str, offset: float) -> None:
    found = cut(VECTORS["x"], VECTORS["theta_raw"], VECTORS["gout"], pixels, offset)
    for values, name in zip(found, ("out", "grad_x", "grad_theta_raw"), strict=True):
        wanted = VECTORS[f"{prefix}{name}"]
        np.testing.assert_allclose(values, wanted, atol=2e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("pixels", ["corners", "released"])
def test_a_loop_and_finite_differences(pixels: str) -> None:
    rng = np.random.default_rng(4)
    x, out = rng.normal(size=(2, 3, SIZE, SIZE)), rng.normal(size=(2, 3, SIZE, SIZE))
    raw = np.array([[0.71, 0.43, -0.29, 0.17], [-0.55, 1.3, 0.47, -0.81]])

    def loss(inner: np.ndarray) -> float:
        return sum(
            float((sampled(image, row, pixels) * weight).sum())
            for image, row, weight in zip(x, np.tanh(inner), out, strict=True)
        )

    found, _, gradient = cut(x, raw, out, pixels, 0.0)
    wanted = [sampled(image, row, pixels) for image, row in zip(x, np.tanh(raw), strict=True)]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    for place in np.ndindex(raw.shape):
        step = np.zeros_like(raw)
        step[place] = 1e-6
        slope = (loss(raw + step) - loss(raw - step)) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_the_whole_image_is_the_identity_between_corners_only() -> None:
    x = np.random.default_rng(0).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)
    whole = nd.array([[1, 1, 0, 0]])
    np.testing.assert_allclose(crop(nd, nd.array(x), whole, SIZE, "corners").asnumpy(), x, atol=1e-5)
    assert np.abs(crop(nd, nd.array(x), whole, SIZE, "released").asnumpy() - x).max() > 0.1


@pytest.mark.parametrize("offset", [0.0, 0.6])
def test_the_crop_starts_at_the_top(offset: float) -> None:
    where = started(LPDConfig(height_offset=offset))
    inner = np.arctanh(where - [0, offset, 0, 0])
    np.testing.assert_allclose(inner.mean(axis=0), np.arctanh(np.array(TOP) - [0, offset, 0, 0]), atol=1e-3)
    np.testing.assert_allclose(inner.std(axis=0), 0.1, rtol=0.05)


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_a_part_that_begins_at_the_upper_edge(offset: float) -> None:
    where = started(LPDConfig(anchor="top", height_offset=offset))
    np.testing.assert_allclose(where[:, 2], where[:, 1] - 1, atol=1e-6)
    assert (where[:, 3] == 0).all()
    assert where[:, 0].std() > 0.001
    assert where[:, 1].std() > 0.01
    image = np.random.default_rng(0).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)
    found = crop(nd, nd.array(image), nd.array([[1, 0.5, -0.5, 0]]), SIZE, "corners").asnumpy()
    np.testing.assert_allclose(found[:, :, 0], image[:, :, 0], atol=1e-5)


def test_or_anywhere() -> None:
    inner = np.arctanh(started(LPDConfig(start_crop="random")))
    np.testing.assert_allclose(inner.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(inner.std(axis=0), 1, rtol=0.05)


def started(options: LPDConfig) -> np.ndarray:
    """Where a localiser that has learnt nothing looks in 16 images, as in training."""
    made = Localiser(SIZE, options)
    made.initialize()
    with autograd.train_mode():
        return made(nd.array(np.random.default_rng(1).normal(size=(16, 3, SIZE, SIZE)))).asnumpy().astype(np.float64)
