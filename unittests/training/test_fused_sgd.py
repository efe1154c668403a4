"""Small parameters together and large ones alone: the same update as MXNet's SGD for one parameter after the other."""

import numpy as np
import pytest

from fairface.mx import mx, nd
from fairface.training.optimizer import FUSED_SIZE, FUSED_UPDATES, FusedSGD


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_updates_as_one_parameter_after_the_other_does(momentum: float) -> None:
    rng = np.random.default_rng(0)
    sizes = [5, FUSED_SIZE + 1, 1, FUSED_SIZE, 2 * FUSED_SIZE, *[3] * FUSED_UPDATES]
    start = [rng.normal(size=size).astype(np.float32) for size in sizes]
    gradients = [[rng.normal(size=size).astype(np.float32) for size in sizes] for _ in range(3)]
    arguments = {"learning_rate": 0.1, "momentum": momentum, "wd": 0.01, "rescale_grad": 0.5}
    plain = mx.optimizer.SGD(**arguments)
    plain.aggregate_num = 0
    results = []
    for rule in (FusedSGD(**arguments), plain):
        rule.set_lr_mult({1: 0.5, 3: 2.0})
        update = mx.optimizer.get_updater(rule)
        weights = [nd.array(values) for values in start]
        for step in gradients:
            update(list(range(len(sizes))), [nd.array(values) for values in step], weights)
        results.append([weight.asnumpy() for weight in weights])
        assert rule.num_update == 3
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-7)
