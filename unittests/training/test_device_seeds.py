"""What MXNet draws on a CPU in one step, or for one seed, does not come again in the next."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairface.data.loading.draws import Purpose, device_seed
from fairface.mx import autograd, mx, nd, nn
from fairface.training.start import initialize

VALUES = 1 << 17
NEIGHBOURS = [((0, 3, 0), (0, 4, 0)), ((0, 3, 0), (1, 3, 0)), ((0, 3, 0), (0, 3, 1))]  # seed, step, process


def seeded(seed: int, step: int, rank: int) -> None:
    mx.random.seed(device_seed(seed, step, Purpose.STEP, rank))


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_noise_is_new_in_each_step_for_each_seed_and_process(one, other):
    drawn = []
    for place in (one, other, one):
        seeded(*place)
        drawn.append(nd.random.normal(shape=(VALUES,)).asnumpy())
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert np.isin(drawn[0], drawn[1]).mean() < 0.05  # float32 has few values, so some come twice


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_dropout_is_new_in_each_step_for_each_seed_and_process(one, other):
    """No mask is another one moved along: of two that are independent, at a rate of 0.4, 52 of 100 values agree."""
    masks = []
    for place in (one, other):
        seeded(*place)
        with autograd.record():
            masks.append(nd.Dropout(nd.ones((VALUES,)), p=0.4).asnumpy() > 0)
    block = VALUES // 1024  # values of one of MXNet's generators
    for moved in range(-512, 512):
        assert np.mean(np.roll(masks[0], moved * block) == masks[1]) < 0.56


def test_start_values_of_neighbouring_seeds_have_nothing_in_common():
    def weights(seed: int) -> np.ndarray:
        net = nn.Dense(256, in_units=512, weight_initializer=mx.init.Normal(1))
        method = SimpleNamespace(blocks=lambda: {"net": net}, inference=lambda: lambda x: nd.zeros((1,)))
        initialize(method, [mx.cpu()], seed, 8)
        return net.weight.data().asnumpy().ravel()

    np.testing.assert_array_equal(weights(0), weights(0))
    assert np.isin(weights(0), weights(1)).mean() < 0.05
