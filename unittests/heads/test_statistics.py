"""Running statistics: over all devices, kept when a step counted, saved and loaded."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import CheckpointError
from fairface.heads import build_head
from fairface.heads.statistics import RunningStatistics
from fairface.mx import autograd, mx, nd
from fairface.parallel import World

CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]
ONE = World((CONTEXTS[0],))


def head_on(contexts, name):
    head = build_head(HeadConfig(name=name), 4, 5)
    head.initialize(ctx=contexts)
    head.weight.set_data(nd.array(np.random.default_rng(0).normal(size=(5, 4))))
    return head


def statistics_of(contexts, name):
    head = head_on(contexts, name)
    return RunningStatistics(head.statistic, head.measured)


@pytest.mark.parametrize("name", ["adaface", "curricularface"])
def test_several_devices_give_the_bits_of_one(name):
    rng = np.random.default_rng(1)
    x, label = rng.normal(size=(7, 4)).astype(np.float32), rng.integers(-1, 5, 7)
    one = statistics_of(CONTEXTS[:1], name)
    many = statistics_of(CONTEXTS, name)
    for _ in range(3):
        one.update([nd.array(x)], [nd.array(label, dtype="int32")], World(tuple(CONTEXTS[:1])))
        cuts = [slice(0, 3), slice(3, 5), slice(5, 7)]
        values = many.update(
            [nd.array(x[cut], ctx=c) for cut, c in zip(cuts, CONTEXTS, strict=True)],
            [nd.array(label[cut], ctx=c, dtype="int32") for cut, c in zip(cuts, CONTEXTS, strict=True)],
            World(tuple(CONTEXTS)),
        )
        assert [value[0].context for value in values] == CONTEXTS
        one.commit()
        many.commit()
        for key, value in one.state().items():
            assert value.tobytes() == many.state()[key].tobytes()
            assert all(v[list(one.state()).index(key)].asnumpy() == value for v in values)
        x += 1


def test_values_count_in_their_own_step_and_stay_only_when_committed():
    statistics = statistics_of(CONTEXTS[:1], "adaface")
    batch = [nd.ones((2, 4))], [nd.array([0, 1], dtype="int32")], ONE
    mean = statistics.update(*batch)[0][0].asscalar()
    assert mean < 20
    assert statistics.state()["batch_mean"] == 20  # a step that is not applied (half precision) leaves no trace
    assert statistics.update(*batch)[0][0].asscalar() == mean
    statistics.commit()
    assert statistics.state()["batch_mean"] == mean


def test_no_gradient_flows_through_the_values():
    statistics = statistics_of(CONTEXTS[:1], "adaface")
    x = nd.ones((2, 4))
    x.attach_grad()
    with autograd.record():
        mean, std = statistics.update([x], [nd.array([0, 1], dtype="int32")], ONE)[0]
        ((mean + std).sum() + 0 * x.sum()).backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), 0)


def test_state_comes_back_and_a_foreign_one_is_refused():
    statistics = statistics_of(CONTEXTS[:1], "adaface")
    statistics.update([nd.ones((2, 4))], [nd.array([0, 1], dtype="int32")], ONE)
    statistics.commit()
    other = statistics_of(CONTEXTS[:1], "adaface")
    other.load_state(statistics.state())
    assert {k: v.tobytes() for k, v in other.state().items()} == {k: v.tobytes() for k, v in statistics.state().items()}
    with pytest.raises(CheckpointError, match="no batch_mean"):
        other.load_state({"t": np.zeros(1, np.float32)})


def test_heads_without_statistics_get_nothing():
    statistics = RunningStatistics(None, lambda embedding, label: label)
    assert statistics.update([nd.ones((1, 2))] * 2, [nd.ones(1)] * 2, ONE) == [(), ()]
    statistics.commit()
    statistics.load_state({})
    assert statistics.state() == {}
