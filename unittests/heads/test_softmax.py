from pathlib import Path

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import build_head
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, nd

VECTORS = np.load(Path(__file__).parent.parent / "vectors" / "loss_paranoidai_class.npz")


def test_softmax_equals_the_fair_face_system_without_bias():
    head = build_head(HeadConfig(name="softmax"), 32, 14)
    head.initialize()
    head.weight.set_data(nd.array(VECTORS["weight"]))
    head.hybridize()
    x, label = nd.array(VECTORS["x"]), nd.array(VECTORS["label"], dtype="int32")
    x.attach_grad()
    with autograd.record():
        logits = head(x, label)
        loss = CrossEntropy()(logits, label).mean()
    loss.backward()
    np.testing.assert_allclose(logits.asnumpy(), VECTORS["softmax_nobias_logits"], rtol=1e-5, atol=1e-5)
    assert float(loss.asscalar()) == pytest.approx(float(VECTORS["softmax_nobias_ce_loss"][0]), rel=1e-5)
    np.testing.assert_allclose(x.grad.asnumpy(), VECTORS["softmax_nobias_grad_x"], atol=1e-6)


def test_norm_softmax_is_the_scaled_cosine_whatever_the_label():
    head = build_head(HeadConfig(name="norm_softmax", s=30.0), 32, 14)
    head.initialize()
    head.weight.set_data(nd.array(VECTORS["weight"]))
    logits = head(nd.array(VECTORS["x"]), nd.array(VECTORS["label"], dtype="int32"))
    x, weight = (VECTORS[key].astype(float) for key in ("x", "weight"))
    cosine = (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
    np.testing.assert_allclose(logits.asnumpy(), 30 * cosine, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("hybridize", [False, True])
def test_cross_entropy_equals_its_definition(smoothing, hybridize):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 20, (6, 7))
    label = np.array([0, 6, -1, 3, 3, -1])
    criterion = CrossEntropy(smoothing)
    if hybridize:
        criterion.hybridize()
    data = nd.array(logits, dtype="float64")
    data.attach_grad()
    with autograd.record():
        rows = criterion(data, nd.array(label, dtype="int32"))
    rows.backward()
    exact = np.exp(logits - logits.max(1, keepdims=True))
    p = exact / exact.sum(1, keepdims=True)
    target = np.full(p.shape, smoothing / 7)
    for i, y in enumerate(label):
        target[i, y] += 1 - smoothing
    labeled = (label >= 0)[:, None]
    np.testing.assert_allclose(rows.asnumpy(), (-(target * np.log(p)) * labeled).sum(1), rtol=1e-6)
    np.testing.assert_allclose(data.grad.asnumpy(), (p - target) * labeled, atol=1e-7)


def test_very_wrong_rows_keep_their_gradient():
    """The fair-face system's loss adds 1e-28 inside the logarithm, which kills the gradient of such a row."""
    data = nd.array([[-300.0, 0.0, 0.0]])
    data.attach_grad()
    with autograd.record():
        loss = CrossEntropy()(data, nd.array([0], dtype="int32"))
    loss.backward()
    np.testing.assert_allclose(data.grad.asnumpy(), [[-1, 0.5, 0.5]], atol=1e-6)


def test_smoothing_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="label_smoothing"):
        CrossEntropy(1.0)
