"""Triplet losses against the fair-face system's numbers, a float64 loop and finite differences."""

import math

import numpy as np
import pytest

from fairface.config.limits import options_of
from fairface.config.schema import TripletConfig
from fairface.errors import ConfigError
from fairface.heads.arc_circle import THETA_MARGIN
from fairface.heads.triplets import TRIPLET_LOSSES, build_triplet_loss
from fairface.mx import autograd, nd
from unittests.heads.helpers import close, slopes, unit, vectors

THEIRS = {"angular_triplet": "atriplet"}
T = 0.65 * math.pi


def run(loss, embedding, valid=None, dtype="float64", hybridize=True):
    """Loss and gradient; anchors, positives and negatives are thirds of the rows."""
    loss.hybridize(hybridize)
    third = len(embedding) // 3
    data = nd.array(embedding, dtype=dtype)
    data.attach_grad()
    mask = nd.ones(third, dtype=dtype) if valid is None else nd.array(valid, dtype=dtype)
    with autograd.record():
        result = loss(data[:third], data[third : 2 * third], data[2 * third :], mask)
    result.backward()
    return float(result.asscalar()), data.grad.asnumpy()


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("name", sorted(TRIPLET_LOSSES))
def test_equals_the_fair_face_system(name, hybridize):
    v = vectors("loss_paranoidai_triplet")
    theirs = THEIRS.get(name, name)
    alpha, gamma, theta = v[f"{theirs}_params"]
    loss = build_triplet_loss(TripletConfig(loss=name))
    assert loss.alpha == alpha  # the system's own value
    assert (TripletConfig().gamma, TripletConfig().theta_margin) == (gamma, pytest.approx(theta))
    assert TripletConfig().theta_margin == pytest.approx(THETA_MARGIN, abs=1e-15)
    value, gradient = run(loss, v["embedding"], dtype="float32", hybridize=hybridize)
    assert value == pytest.approx(float(v[f"{theirs}_loss"][0]), rel=1e-5)
    close(gradient, v[f"{theirs}_grad"], 1e-4)


def loop(name, embedding, valid):
    """The same in plain float64."""
    rows = unit(embedding)
    third = len(rows) // 3
    own = [rows[i] @ rows[third + i] for i in range(third) if valid[i]]
    other = [rows[i] @ rows[2 * third + i] for i in range(third) if valid[i]]
    pairs = list(zip(own, other, strict=True))
    if not pairs:
        return 0.0
    if name == "triplet":
        return sum(max(0, (2 - 2 * p) - (2 - 2 * n) + 0.3) for p, n in pairs) / len(pairs)
    angles = [(math.acos(p), math.acos(n)) for p, n in pairs]
    if name == "angular_triplet":
        return sum(max(0, p - n + 0.35) for p, n in angles) / len(pairs)
    if name == "fix_arc_circle_triplet":
        cost = 0.0
        for p, n in angles:
            sp = 64 * (p + math.pi - T) * math.cos(min(math.pi, p + T))
            sn = 64 * (2 * math.pi - T - n) * math.cos(max(0, n - T))
            cost += max(0, sn - sp) / len(pairs)
        return cost
    positive = sum(math.exp(-64 / math.pi * (p + math.pi - T) * math.cos(min(math.pi, p + T))) for p, _ in angles)
    negative = sum(math.exp(64 / math.pi * max(0, T - n) * math.cos(min(math.pi, n + math.pi - T))) for _, n in angles)
    return math.log(1 + negative * positive)


@pytest.mark.parametrize("name", sorted(TRIPLET_LOSSES))
def test_values_and_gradients_in_float64(name):
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(8, 5))
    embedding = np.concatenate([centre, centre + 0.8 * rng.normal(size=(8, 5)), 0.6 * centre + rng.normal(size=(8, 5))])
    valid = np.array([1, 1, 0, 1, 1, 1, 0, 1])
    loss = build_triplet_loss(TripletConfig(loss=name))
    value, gradient = run(loss, embedding, valid)
    assert value == pytest.approx(loop(name, embedding, valid), rel=1e-9)
    assert value > 0
    indices = range(0, embedding.size, 3)
    expected = slopes(lambda array: loop(name, array, valid), embedding, indices)
    np.testing.assert_allclose(gradient.ravel()[::3], expected, rtol=1e-5, atol=1e-6)
    left_out = np.concatenate([valid, valid, valid]) == 0
    np.testing.assert_array_equal(gradient[left_out], 0)


@pytest.mark.parametrize("name", sorted(TRIPLET_LOSSES))
def test_no_valid_triplet_costs_nothing(name):
    value, gradient = run(
        build_triplet_loss(TripletConfig(loss=name)), np.random.default_rng(1).normal(size=(9, 4)), [0, 0, 0]
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("name", sorted(TRIPLET_LOSSES))
def test_equal_opposite_and_empty_embeddings_stay_finite(name):
    """The reference takes arccos without a clip: NaN where two embeddings are equal or opposite."""
    x = np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 0, 1, 2, 2, 0, 1, 2, 2]]
    x[5] *= -1
    x[3] = 0
    value, gradient = run(build_triplet_loss(TripletConfig(loss=name)), x, dtype="float32")
    assert math.isfinite(value)
    assert np.isfinite(gradient).all()


def test_large_exponents_do_not_overflow():
    """The sums of exponentials are taken as logarithms: float32 holds none beyond exp(88)."""
    x = np.concatenate([np.eye(2), -np.eye(2), np.eye(2)]).astype(np.float32)
    value, gradient = run(build_triplet_loss(TripletConfig(loss="arc_circle_triplet", gamma=640.0)), x, dtype="float32")
    assert value > 100
    assert np.isfinite(gradient).all()


def test_the_configuration_reaches_the_loss():
    loss = build_triplet_loss(TripletConfig(loss="fix_arc_circle_triplet", alpha=0.2, gamma=32.0, theta_margin=2.0))
    assert (loss.alpha, loss.gamma, loss.curves.theta_margin, loss.curves.offset) == (0.2, 32.0, 2.0, 0.0)
    assert set(options_of(TripletConfig, "loss")) == set(TRIPLET_LOSSES)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (TripletConfig(loss="quadruplet"), "it can be: triplet, angular_triplet"),
        (TripletConfig(alpha=-0.1), "triplet.alpha is -0.1"),
        (TripletConfig(alpha=4.5), "not above 4"),
        (TripletConfig(loss="angular_triplet", alpha=3.5), "not above 3.142"),
        (TripletConfig(loss="arc_circle_triplet", gamma=0.0), "triplet.gamma is 0.0"),
        (TripletConfig(loss="arc_circle_triplet", theta_margin=3.2), "theta_margin is 3.2"),
    ],
)
def test_values_out_of_range_are_refused(config, said):
    with pytest.raises(ConfigError) as caught:
        build_triplet_loss(config)
    assert said in str(caught.value)
